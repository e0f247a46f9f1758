/**
 * `npm test [-- FILE...]`: every test. Those beside their module go first and share one broker and
 * one database; the system tests follow one at a time, because each starts the whole graph.
 * `--load` runs the load test alone, in full.
 */
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
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
  const system = files.filter((file) => file.startsWith("functions/test/"));
  const units = files.filter((file) => !system.includes(file));
  const codes = [
    await run(units, ["--test-concurrency=1", `--test-global-setup=${setup}`]),
    await run(system, ["--test-concurrency=1"]),
  ];
  process.exitCode = Math.max(...codes);
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
