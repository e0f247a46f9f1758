import { spawn } from "node:child_process";
import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
} from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  groupMembers,
  identify,
  isAlive,
  type ProcessIdentity,
  sendSignal,
} from "./process-table.ts";
import { ServiceError } from "./service.ts";

export interface Command {
  file: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  cwd?: string;
}

export interface Finished {
  ok: boolean;
  /** Standard output and standard error as they came. */
  output: string;
}

/** Where a command is on this PATH; an empty PATH means that there are none. */
export function which(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => isAbsolute(folder));
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * Starts a server as the leader of a group of its own, so that a terminal's Ctrl-C does not reach
 * it before its clients have ended, and so that it outlives us: it must be recorded at once.
 */
export function spawnServer(command: Command, logFile: string): ProcessIdentity {
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, "w", 0o600);
  try {
    const child = spawn(command.file, command.args, {
      env: command.env,
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
      detached: true,
      stdio: ["ignore", log, log],
    });
    child.on("error", () => {}); // there is no pid then, which is the error reported below
    child.unref();
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity === undefined) throw new ServiceError(`${command.file} could not be started`);
    return identity;
  } finally {
    closeSync(log);
  }
}

/** Runs a command to its end; one that takes too long is ended with all it started. */
export async function run(
  command: Command,
  limits: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<Finished> {
  limits.signal?.throwIfAborted();
  const child = spawn(command.file, command.args, {
    env: command.env,
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<boolean>((resolve) => {
    child.once("error", (error) => {
      output += error.message;
      resolve(false);
    });
    child.once("close", (code) => resolve(code === 0));
  });
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  let stopping: Promise<unknown> = Promise.resolve();
  const giveUp = () => {
    if (identity === undefined) return;
    sendSignal(-identity.pid, "SIGTERM"); // a command's children are not its helpers: tell them too
    stopping = stopGroup([identity], 10_000).catch(() => {});
  };
  const timer = setTimeout(() => {
    output += `\nno end after ${limits.timeoutMs / 1_000} s`;
    giveUp();
  }, limits.timeoutMs);
  limits.signal?.addEventListener("abort", giveUp);
  const ok = await ended;
  clearTimeout(timer);
  limits.signal?.removeEventListener("abort", giveUp);
  await stopping;
  limits.signal?.throwIfAborted();
  return { ok, output: output.trim() };
}

/** Asks until there is an answer; fails with the end of the log as soon as the server is gone. */
export async function waitForAnswer(
  server: { leader: ProcessIdentity; logFile: string } | undefined,
  probe: () => Promise<string | undefined>,
  limits: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<string> {
  const end = performance.now() + limits.timeoutMs;
  for (;;) {
    limits.signal?.throwIfAborted();
    const answer = await probe();
    if (answer !== undefined) return answer;
    // Read after the look: by then what a server writes at its end is there.
    const log = () => (server === undefined ? "" : `\n${tailOf(server.logFile)}`);
    if (server !== undefined && !isAlive(server.leader)) {
      throw new ServiceError(`it ended before it accepted a connection${log()}`);
    }
    if (performance.now() > end) {
      throw new ServiceError(`it did not answer within ${limits.timeoutMs / 1_000} s${log()}`);
    }
    await delay(100);
  }
}

/**
 * Ends what is left of one group that we started: SIGTERM to the first that lives, for a server
 * ends its own helpers, and SIGKILL to all of them at the limit. A pid that now belongs to
 * another process is left alone. Returns whether anything was running.
 */
export async function stopGroup(group: ProcessIdentity[], limitMs: number): Promise<boolean> {
  const [leader] = group;
  // Looked up before the signal: a helper is known by its leader, which may be gone right after it.
  const running = leader === undefined ? [] : living(leader.pid, group);
  const [first] = running;
  if (leader === undefined || first === undefined) return false;
  if (limitMs > 0) sendSignal(first.pid, "SIGTERM");
  let left = limitMs > 0 ? await leftAfter(limitMs, leader.pid, running) : running;
  if (left.length === 0) return true;
  for (const { pid } of left) sendSignal(pid, "SIGKILL");
  left = await leftAfter(5_000, leader.pid, left);
  if (left.length > 0) throw new ServiceError(`pid ${left[0]?.pid} could not be ended`);
  return true;
}

export function tailOf(logFile: string, lines = 15): string {
  try {
    const text = readFileSync(logFile, "utf8").trimEnd();
    return text === "" ? "" : `${logFile} ends:\n${text.split("\n").slice(-lines).join("\n")}`;
  } catch {
    return "";
  }
}

/** Those of a group that live, with who joined it since. */
function living(group: number, known: ProcessIdentity[]): ProcessIdentity[] {
  const alive = known.filter(isAlive);
  const isKnown = (one: ProcessIdentity) => alive.some((other) => other.pid === one.pid);
  const members = groupMembers(group);
  // The number of a group is not given anew while one of it lives: a known member shows it is ours.
  return members.some(isKnown) ? [...alive, ...members.filter((one) => !isKnown(one))] : alive;
}

async function leftAfter(limitMs: number, group: number, known: ProcessIdentity[]) {
  const end = performance.now() + limitMs;
  let left = living(group, known);
  while (left.length > 0 && performance.now() < end) {
    await delay(50);
    left = living(group, left);
  }
  return left;
}
