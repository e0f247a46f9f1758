/**
 * Ends what a run has started when that run ends without a word, by SIGKILL say: broker and database lead process
 * groups of their own, and would go on. It is a process of its own, which sees the end of the run by its end of a pipe.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { identify, isAlive, type ProcessIdentity } from "./process-table.ts";
import { readJson, writeJson } from "./record.ts";

/** A broker and a database stop within 20 s each, or are killed. */
const limitMs = 50_000;

const fileOf = (dataDir: string) => join(dataDir, "watchdog.json");

/** Watches over this process. First waits until the watchdog of an earlier run has done its work. */
export async function startWatchdog(dataDir: string): Promise<void> {
  const earlier = readJson<ProcessIdentity>(fileOf(dataDir));
  const end = performance.now() + limitMs;
  while (earlier && isAlive(earlier) && performance.now() < end) await wait(50);
  const child = spawn(process.execPath, [import.meta.filename, dataDir], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.on("error", () => {}); // then npm run services:down is left
  child.unref();
  // The pipe stays open as long as this process lives, and does not keep it alive.
  (child.stdin as unknown as { unref(): void } | null)?.unref();
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity) writeJson(fileOf(dataDir), identity);
}

if (process.argv[1] === import.meta.filename) {
  const [dataDir = ""] = process.argv.slice(2);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once("close", resolve));
  const { stopLeftovers } = await import("./down.ts");
  await stopLeftovers({ dataDir, report: () => {} });
}
