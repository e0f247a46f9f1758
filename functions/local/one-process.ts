/** Every function in this one process, each on the port that its address variable gives it. */
import { addressVariable } from "#host/base/config";
import { HostError } from "#host/base/errors";
import { type Host, startHost } from "#host/host";
import { DeclarationError } from "./declarations/check.ts";
import { type Deployable, loadFunctions } from "./discover.ts";
import { stopOrder } from "./stop-order.ts";

let functions: Deployable[] = [];
const hosts = new Map<string, Host>();

try {
  functions = await loadFunctions();
  for (const { name, definition } of functions) {
    const PORT = process.env[addressVariable(name)]?.split(":").at(-1);
    const env = { ...process.env, FUNCTION_TARGET: name, PORT };
    hosts.set(name, await startHost(definition, { env }));
  }
} catch (thrown) {
  const wrongConfig =
    thrown instanceof DeclarationError ||
    (thrown instanceof HostError && thrown.code === "ERR_CONFIG");
  process.stderr.write(`${wrongConfig ? thrown.message : (thrown as Error).stack}\n`);
  process.exit(wrongConfig ? 2 : 1);
}

const stop = async () => {
  for (const step of stopOrder(functions)) {
    await Promise.all(step.map((name) => hosts.get(name)?.close()));
  }
  process.exit(0);
};
process.once("SIGTERM", stop);
process.once("disconnect", stop);
