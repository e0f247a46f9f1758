import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ask } from "./ask.ts";
import type { Loaded } from "./report-loaded.ts";
import { runNode } from "./run-function.ts";
import { until } from "./until.ts";

const preload = new URL("report-loaded.ts", import.meta.url).href;
const source = fileURLToPath(new URL("../../host/main.ts", import.meta.url));
/** A broker and a database that are away: the drivers are loaded all the same. */
const away = { MONGODB_URL: "mongodb://127.0.0.1:1", RABBITMQ_URL: "amqp://127.0.0.1:1" };

/** What the function loads until it has answered GET /healthz, and `more` has been done with its port. */
export async function loadedBy(
  name: string,
  {
    main = source,
    env: given = {},
    more,
  }: { main?: string; env?: Record<string, string>; more?(port: number): Promise<unknown> } = {},
): Promise<Loaded> {
  const env = {
    FUNCTION_TARGET: name,
    NAMESPACE: "test",
    HOST: "127.0.0.1",
    PORT: "0",
    ...away,
    ...given,
  };
  await using run = runNode(["--import", preload, main], env);
  const listening = /"listening on port (\d+)"/;
  await until("it listens", () => listening.test(run.stdout()) || run.child.exitCode !== null);
  const port = Number(listening.exec(run.stdout())?.[1] ?? assert.fail(run.stderr()));
  assert.equal((await ask(port, "/healthz")).status, 200);
  await more?.(port);
  run.child.kill("SIGTERM");
  assert.equal(await run.exit, 0, run.stderr());
  const [, line] = /^(\{"loaded":.*)$/m.exec(run.stdout()) ?? [];
  const { loaded }: { loaded: Loaded } = JSON.parse(line ?? assert.fail("it says nothing"));
  return loaded;
}
