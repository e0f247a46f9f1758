/** Processes of a contender, and what Linux says about them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface ProcessOptions {
  readonly name: string;
  /** For Node. */
  readonly args: readonly string[];
  /** All of it, besides PATH: as in a container, nothing is inherited. */
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

export interface Process extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** How it ended by itself; undefined while it runs. */
  failure(): string | undefined;
}

/** The host drains for 10 s at most. */
const stopLimitMs = 12_000;
/** Linux gives CPU times in hundredths of a second, whatever its own clock. */
export const tickMs = 10;

/** Its log goes nowhere, so that reading it costs nothing; disposal ends it by SIGTERM, then SIGKILL. */
export function startProcess({ name, args, env, cwd = tmpdir() }: ProcessOptions): Process {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-2_000);
  });
  const closed = once(child, "close");
  let stopping = false;
  let ended = false;
  // Not "exit": only at "close" has all that it wrote been read.
  child.once("close", () => {
    ended = true;
  });
  return {
    name,
    pid: child.pid ?? 0,
    failure: () => (stopping || !ended ? undefined : `${name} ended: ${said.trim()}`),
    async [Symbol.asyncDispose]() {
      stopping = true;
      child.kill("SIGTERM");
      const limit = setTimeout(() => child.kill("SIGKILL"), stopLimitMs);
      await closed;
      clearTimeout(limit);
    },
  };
}

/** CPU time that they have used so far, in user and kernel, all threads. One that has ended counts nothing. */
export function cpuMsOf(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const fields = existsSync(`/proc/${pid}`) ? statOf(pid) : [];
    return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  });
  return ticks.reduce((sum, one) => sum + one, 0) * tickMs;
}

/** Resident memory. */
export function residentMibOf(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib ?? 0) / 1_024;
}

/** The process and all that descend from it. */
export function treeOf(root: number): number[] {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [[Number(name), Number(statOf(Number(name))[1])] as const];
      } catch {
        return []; // it has just ended
      }
    });
  const tree = [root];
  for (const parent of tree)
    tree.push(...parents.flatMap(([pid, of]) => (of === parent ? [pid] : [])));
  return tree;
}

/** The fields of /proc/PID/stat from the state on: a command's name may hold spaces and brackets. */
function statOf(pid: number): string[] {
  const text = readFileSync(join("/proc", String(pid), "stat"), "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}
