import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stopLeftovers } from "./down.ts";
import { groupMembers, isAlive, type ProcessIdentity } from "./process-table.ts";
import { readRecord } from "./record.ts";
import type { RunningService, ServiceOptions } from "./service.ts";

/** Shared by all runs of the tests, so that only the first one downloads. */
const cacheDir = join(import.meta.dirname, "../../../.local/cache");

/** Private servers on a data folder of their own; nothing of them outlives the test. */
export async function testOptions(env: NodeJS.ProcessEnv = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), "greetings-"));
  const lines: string[] = [];
  const { RABBITMQ_URL: _broker, MONGODB_URL: _store, ...inherited } = process.env;
  const options: ServiceOptions = {
    dataDir,
    cacheDir,
    private: true,
    env: { ...inherited, ...env },
    report: (line) => lines.push(line),
  };
  return {
    options,
    lines,
    async [Symbol.asyncDispose]() {
      await stopLeftovers(options);
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

/** Every process of what is on the record, with the helpers that made a group of their own. */
export function processesOf(dataDir: string): ProcessIdentity[] {
  const recorded = readRecord(dataDir).flatMap((service) => service.groups.flat());
  return [...recorded, ...recorded.flatMap(({ pid }) => groupMembers(pid))];
}

/** Waits until none of them lives; a helper notices the end of its server a moment later. */
export async function allGone(processes: ProcessIdentity[], limitMs = 3_000): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (processes.some(isAlive)) {
    if (performance.now() > end) return false;
    await delay(20);
  }
  return true;
}

/** Starts a service in a process of its own that then dies as if by a power cut. */
export async function startAndCrash(
  start: (options: ServiceOptions) => Promise<RunningService>,
  module: string,
  options: ServiceOptions,
): Promise<void> {
  const script = `
    import { ${start.name} } from ${JSON.stringify(new URL(module, import.meta.url).href)};
    await ${start.name}({ ...JSON.parse(process.env.OPTIONS), report() {} });
    process.kill(process.pid, "SIGKILL");`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    env: { ...options.env, OPTIONS: JSON.stringify(options) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [, signal] = await once(child, "exit");
  if (signal !== "SIGKILL") throw new Error("it did not come as far as the crash");
}
