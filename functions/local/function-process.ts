import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { backoff } from "#host/base/backoff";
import { eachLine } from "./line-splitter.ts";
import { ask } from "./probe.ts";
import { sendSignal } from "./services/process-table.ts";

export interface FunctionProcessOptions {
  /** How messages call it. */
  name: string;
  /** The .ts file it runs. */
  entry: string;
  env: NodeJS.ProcessEnv;
  /** Its port; with several functions in the process, all of theirs. */
  ports: readonly number[];
  /** Loaded before the entry, in this order; what they send over the IPC channel goes to `onMessage`. */
  preloads?: readonly string[];
  /** Where a debugger attaches; without it there is no inspector. */
  inspectPort?: number | undefined;
  onMessage?(message: unknown): void;
  /** Gets the output: one JSON object per line, whatever the process wrote. */
  logs(line: string): void;
  /** Gets what a person should know: that it ended by itself, that it runs again. */
  report(line: string): void;
}

type State =
  | { kind: "stopped" }
  /** `live` once it has answered: an end after that is a crash, before that a failed start. */
  | { kind: "running"; child: ChildProcess; closed: Promise<void>; live: boolean; since: number }
  /** It ended by itself and is started again when the timer is up. */
  | { kind: "waiting"; timer: NodeJS.Timeout };

/** The host drains for 10 s at most: what is still there after this long hangs. */
const stopLimitMs = 12_000;
const liveLimitMs = 60_000;
/** A process that does not answer for this long is one that a debugger has paused. */
const pausedMs = 1_000;
const restarts = { firstMs: 500, longestMs: 10_000 };
/** Having lived this long, it gets the short waits again. */
const soundMs = 30_000;

/**
 * A function as a process, started again when it ends by itself. It leads a process group of its
 * own: a terminal's Ctrl-C must not reach it before its callers have ended. The IPC channel ends
 * when we do, however that came about, and so does the function.
 */
export class FunctionProcess {
  readonly name: string;
  readonly #options: FunctionProcessOptions;
  #state: State = { kind: "stopped" };
  /** What was asked for last. An end that was not asked for is a crash. */
  #wanted = false;
  #crashes = 0;
  #errors: string[] = [];
  #fatal: string | undefined;

  constructor(options: FunctionProcessOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#state.kind === "running" ? this.#state.child.pid : undefined;
  }

  get stopped(): boolean {
    return this.#state.kind === "stopped";
  }

  /** As a person sees it: between a crash and the next try it is stopped, and a drain is part of being stopped. */
  get phase(): "stopped" | "starting" | "running" {
    if (this.#state.kind !== "running" || !this.#wanted) return "stopped";
    return this.#state.live ? "running" : "starting";
  }

  get ports(): readonly number[] {
    return this.#options.ports;
  }

  get inspectPort(): number | undefined {
    return this.#options.inspectPort;
  }

  /** Settles when it answers, which is before its broker and database have to. */
  async start(): Promise<void> {
    if (this.#state.kind === "running" && this.#wanted) return;
    this.#wanted = true;
    if (this.#state.kind === "running") await this.#state.closed;
    if (this.#state.kind === "waiting") clearTimeout(this.#state.timer);
    const state = this.#spawn();
    const answered = this.#answers(state.child);
    const ended = state.closed.then(() => {
      throw new Error(`${this.name} did not start: ${this.#endOf(state.child)}`);
    });
    await Promise.race([answered, ended]);
    state.live = true;
  }

  /** SIGTERM, and SIGKILL to what hangs or is paused. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** Ends it where a debugger has paused it: its callers would wait for it until they are cut off. */
  async endPause(): Promise<void> {
    if (await this.#isPaused()) await this.kill();
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  #spawn() {
    const { preloads = [], inspectPort, entry, env } = this.#options;
    const options = [
      ...preloads.flatMap((one) => ["--import", one]),
      ...(inspectPort ? [`--inspect=127.0.0.1:${inspectPort}`] : []),
    ];
    const child = spawn(process.execPath, [...options, entry], {
      env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#errors = [];
    this.#fatal = undefined;
    child.on("error", (error) => this.#errors.push(error.message));
    child.on("message", (message) => this.#options.onMessage?.(message));
    this.#forward(child);
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const state = { kind: "running" as const, child, closed, live: false, since: Date.now() };
    // Not "exit": only at "close" has all that it wrote been read.
    child.once("close", () => {
      this.#state = { kind: "stopped" };
      if (this.#wanted && state.live) this.#startAgain(this.#endOf(child), state.since);
      resolve();
    });
    this.#state = state;
    return state;
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#wanted = false;
    if (this.#state.kind === "waiting") {
      clearTimeout(this.#state.timer);
      this.#state = { kind: "stopped" };
    }
    if (this.#state.kind !== "running") return;
    const { child, closed } = this.#state;
    const cut = () => child.pid && sendSignal(-child.pid, "SIGKILL");
    // Paused by a debugger, it would hear no signal.
    if (signal === "SIGKILL" || (await this.#isPaused())) cut();
    else child.kill(signal);
    const limit = setTimeout(cut, stopLimitMs);
    await closed;
    clearTimeout(limit);
  }

  async #isPaused(): Promise<boolean> {
    const { inspectPort, ports } = this.#options;
    if (!inspectPort || this.#state.kind !== "running") return false;
    return (await ask(ports[0] ?? 0, "/healthz", pausedMs)) === undefined;
  }

  #startAgain(reason: string, since = Date.now()): void {
    this.#crashes = Date.now() - since > soundMs ? 1 : this.#crashes + 1;
    const pauseMs = backoff(this.#crashes, restarts);
    const { report } = this.#options;
    report(`${this.name} ended by itself: ${reason}; it is started again in ${pauseMs} ms`);
    const again = () =>
      this.start().then(
        () => report(`${this.name} runs again`),
        (error: Error) => this.#wanted && this.#startAgain(error.message),
      );
    this.#state = { kind: "waiting", timer: setTimeout(again, pauseMs) };
  }

  /** Settles when all its ports answer, or it has ended. */
  async #answers(child: ChildProcess): Promise<void> {
    // A breakpoint in code that runs at the start is no failure.
    const limitMs = this.#options.inspectPort ? Number.POSITIVE_INFINITY : liveLimitMs;
    const end = performance.now() + limitMs;
    for (const port of this.#options.ports) {
      while (child.exitCode === null && child.signalCode === null) {
        if ((await ask(port, "/healthz"))?.status === 200) break;
        if (performance.now() > end) {
          throw new Error(`${this.name} does not answer on port ${port}`);
        }
        await wait(25);
      }
    }
  }

  #forward(child: ChildProcess): void {
    const { logs } = this.#options;
    const lines = (from: "stdout" | "stderr", use: (line: string) => void) => {
      const input = child[from];
      if (input) eachLine(input, use);
    };
    const wrap = (level: number, msg: string) =>
      JSON.stringify({ level, time: Date.now(), service: this.name, msg });
    lines("stdout", (line) => {
      if (line.startsWith('{"level":60,')) this.#fatal = messageOf(line);
      logs(line.startsWith('{"level":') ? line : wrap(30, line));
    });
    lines("stderr", (line) => {
      // It is at its end, and would stay for as long as a debugger is attached.
      if (line.startsWith("Waiting for the debugger to disconnect")) child.kill("SIGKILL");
      this.#errors = [...this.#errors.slice(-19), line];
      logs(wrap(40, line));
    });
  }

  /** How it ended, and the line that says why. */
  #endOf({ exitCode, signalCode }: ChildProcess): string {
    const how = signalCode ? `ended by ${signalCode}` : `exit code ${exitCode ?? "unknown"}`;
    const why = this.#fatal ?? errorLine(this.#errors);
    return why ? `${how}: ${why}` : how;
  }
}

/** What a person wants of an error's output: the line that names it, for Node puts a stack around it. */
function errorLine(lines: readonly string[]): string {
  const named = lines.findLast((line) => /^(Uncaught )?[A-Za-z]*Error\b/.test(line));
  return named ?? lines.join("\n").trim();
}

function messageOf(line: string): string {
  const { msg, err }: { msg?: string; err?: { message?: string } } = JSON.parse(line);
  return [msg, err?.message].filter(Boolean).join(": ");
}
