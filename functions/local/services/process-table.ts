import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** A process that cannot be mistaken for a later one which got the same pid. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in a form that is only ever compared. */
  started: string;
}

const linux = process.platform === "linux";

/**
 * Knows a child that has ended too, until Node has collected it: on a busy machine a short one is
 * over before the call that starts it returns.
 */
export function identify(pid: number): ProcessIdentity | undefined {
  const entry = entryOf(pid);
  return entry && { pid, started: entry.started };
}

export function isAlive(known: ProcessIdentity): boolean {
  return living(known.pid)?.started === known.started;
}

/** The living members of a process group, its leader first. */
export function groupMembers(group: number): ProcessIdentity[] {
  const pids = linux ? groupByProc(group) : groupByPs(group);
  pids.sort((a, b) => Number(b === group) - Number(a === group));
  return pids.map(living).filter((found) => found !== undefined);
}

/** Sends a signal; a process or group that is gone already is no error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

interface Entry {
  /** "Z" and "X": only the entry is left, for the parent to collect. */
  state: string;
  started: string;
}

function living(pid: number): ProcessIdentity | undefined {
  const entry = entryOf(pid);
  return entry && !/^[ZX]/.test(entry.state) ? { pid, started: entry.started } : undefined;
}

function entryOf(pid: number): Entry | undefined {
  return linux ? entryByProc(pid) : entryByPs(pid);
}

/** The fields of /proc/PID/stat from the state on: a command's name may hold spaces and brackets. */
function stat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function entryByProc(pid: number): Entry | undefined {
  const { 0: state, 19: ticks } = stat(pid) ?? [];
  if (state === undefined || ticks === undefined) return undefined;
  // Ticks count from boot, so without the boot's id a pid could match after a restart of the machine.
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return { state, started: `${boot}/${ticks}` };
}

function groupByProc(group: number): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => Number(stat(pid)?.[2]) === group);
}

function entryByPs(pid: number): Entry | undefined {
  const line = ps(["-o", "stat=,lstart=", "-p", String(pid)]).trim();
  const [state, ...started] = line.split(/\s+/);
  return state ? { state, started: started.join(" ") } : undefined;
}

function groupByPs(group: number): number[] {
  const rows = ps(["-axo", "pid=,pgid="])
    .split("\n")
    .map((row) => row.trim().split(/\s+/));
  return rows.filter((row) => Number(row[1]) === group).map((row) => Number(row[0]));
}

function ps(args: string[]): string {
  try {
    // One language for the dates, whatever the user's is.
    return execFileSync("ps", args, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
  } catch {
    return "";
  }
}
