/**
 * `npm test [-- FILE...]`: every test, by one broker and one database. Three files at a time; those that start the
 * whole graph follow, one at a time.
 * `--load` runs the load test alone, in full.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { globalSetup, globalTeardown } from "../test/support/services-setup.ts";
import { functionsDir } from "./discover.ts";

const root = join(functionsDir, "..");
const args = process.argv.slice(2);

let runner: ChildProcess | undefined;
let stopped = false;
// Ctrl-C reaches the runner by itself, and it ends in order; a signal to us alone is passed on.
process.on("SIGINT", () => {
  stopped = true;
});
process.on("SIGTERM", () => {
  stopped = true;
  runner?.kill("SIGTERM");
});

if (args.includes("--load")) {
  process.env.LOAD = "full";
  process.exitCode = await run(["functions/test/greetings.test.ts"], 1);
} else {
  const named = args.filter((arg) => !arg.startsWith("-"));
  const files = named.length > 0 ? named : globSync("functions/**/*.test.ts", { cwd: root }).sort();
  const system = files.filter(startsGraph);
  const units = files.filter((file) => !system.includes(file));
  await globalSetup();
  try {
    const codes = [await run(units, 3), await run(system, 1)];
    process.exitCode = Math.max(...codes);
  } finally {
    await globalTeardown();
  }
}

/** By what it imports: test/support starts the graph in its process, at zero, or as a person does, in a clone; the laboratory and the bench start their own. */
function startsGraph(file: string): boolean {
  const text = readFileSync(join(root, file), "utf8");
  return /\b(startTestGraph|startReady|startAtZero|runChaos|runMission|runModel)\b/.test(text);
}

/** The exit code of node's test runner. */
function run(files: readonly string[], concurrency: number): Promise<number> {
  if (stopped) return Promise.resolve(1);
  if (files.length === 0) return Promise.resolve(0);
  const options = ["--test", `--test-concurrency=${concurrency}`];
  const child = spawn(process.execPath, [...options, ...files], { cwd: root, stdio: "inherit" });
  runner = child;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once("error", reject);
  child.once("exit", (code) => resolve(code ?? 1));
  return promise;
}
