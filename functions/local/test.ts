/**
 * `npm test [-- FILE...]`: every test. Three files at a time share one broker and one database; those that start the
 * whole graph follow, one at a time.
 * `--load` runs the load test alone, in full.
 */
import { spawn } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { functionsDir } from "./discover.ts";

const root = join(functionsDir, "..");
const setup = join(functionsDir, "test/support/services-setup.ts");
const args = process.argv.slice(2);

if (args.includes("--load")) {
  process.env.LOAD = "full";
  process.exitCode = await run(["functions/test/greetings.test.ts"], ["--test-concurrency=1"]);
} else {
  const named = args.filter((arg) => !arg.startsWith("-"));
  const files = named.length > 0 ? named : globSync("functions/**/*.test.ts", { cwd: root }).sort();
  const system = files.filter(startsGraph);
  const units = files.filter((file) => !system.includes(file));
  const codes = [
    await run(units, ["--test-concurrency=3", `--test-global-setup=${setup}`]),
    await run(system, ["--test-concurrency=1"]),
  ];
  process.exitCode = Math.max(...codes);
}

/** By what it imports: test/support starts the graph in its process, or as a person does, in a clone; the laboratory starts one of its own. */
function startsGraph(file: string): boolean {
  const text = readFileSync(join(root, file), "utf8");
  return /\b(startTestGraph|startReady|runChaos)\b/.test(text);
}

/** The exit code of node's test runner. */
function run(files: readonly string[], options: readonly string[]): Promise<number> {
  if (files.length === 0) return Promise.resolve(0);
  const child = spawn(process.execPath, ["--test", ...options, ...files], {
    cwd: root,
    stdio: "inherit",
  });
  // Ctrl-C reaches the runner by itself, and it ends in order; a signal to us alone is passed on.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once("error", reject);
  child.once("exit", (code) => resolve(code ?? 1));
  return promise;
}
