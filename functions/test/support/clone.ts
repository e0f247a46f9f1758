/** A copy of this clone in a folder of its own, to run its commands as a person does. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { functionNames, functionsDir } from "../../local/discover.ts";
import { freePort, isFree } from "../../local/ports.ts";
import { toolEnv } from "../../local/tool-env.ts";
import { eventually } from "./graph.ts";
import { isPlatform } from "./orders.ts";

export interface Clone extends AsyncDisposable {
  readonly folder: string;
  /** Runs `npm run COMMAND` in a process group of its own, as a terminal does. */
  run(command: string, ...args: string[]): Command;
  /** Runs any command in the clone to its end, with its tools on PATH; returns its stdout, and throws when it fails. */
  exec(file: string, ...args: string[]): string;
  /** The command lines of all processes that have to do with the clone. */
  processes(): string[];
}

export interface Command {
  readonly child: ChildProcess;
  /** What it has printed, on both outputs. */
  printed(): string;
  /** The exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
  /** To the whole group, as Ctrl-C is sent. */
  signal(signal: NodeJS.Signals): void;
}

const root = join(functionsDir, "..");

const notCopied = [".git", ".local", "node_modules"];

/** `env` is for its commands, besides this process's own; `from` is another checkout, with its dependencies. */
export async function makeClone(env: NodeJS.ProcessEnv = {}, from = root): Promise<Clone> {
  const folder = await mkdtemp(join(tmpdir(), "clone-"));
  for (const name of readdirSync(from)) {
    if (notCopied.includes(name)) continue;
    cpSync(join(from, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(from, "node_modules"), join(folder, "node_modules"));
  mkdirSync(join(root, ".local/cache"), { recursive: true });
  mkdirSync(join(folder, ".local"));
  symlinkSync(join(root, ".local/cache"), join(folder, ".local/cache"));

  const run: Clone["run"] = (command, ...args) => {
    const child = spawn(process.execPath, ["functions/local/run.mjs", command, ...args], {
      cwd: folder,
      env: { ...process.env, ...env },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let printed = "";
    for (const output of [child.stdout, child.stderr]) {
      output?.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
      });
    }
    return {
      child,
      printed: () => printed,
      ended: once(child, "close").then(([code, signal]) => code ?? signal),
      signal: (signal) => void process.kill(-(child.pid ?? 0), signal),
    };
  };
  return {
    folder,
    run,
    exec(file, ...args) {
      const { status, stdout, stderr, error } = spawnSync(file, args, {
        cwd: folder,
        // Else a test runner that is started within a test runs nothing, and succeeds.
        env: { ...toolEnv, ...env, NODE_TEST_CONTEXT: undefined },
        encoding: "utf8",
      });
      if (status === 0) return stdout;
      throw new Error(`${[file, ...args].join(" ")}: ${error?.message ?? stdout + stderr}`);
    },
    processes: () => processesOf(folder),
    async [Symbol.asyncDispose]() {
      await run("services:down").ended;
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** As `makeClone`, without the functions that a clone has besides the platform's: the names are free then. */
export async function makePlatformClone(env: NodeJS.ProcessEnv = {}): Promise<Clone> {
  const clone = await makeClone(env);
  const more = functionNames().filter((name) => !isPlatform(name));
  for (const name of more) await rm(join(clone.folder, "functions", name), { recursive: true });
  if (more.length > 0) clone.exec("node", "functions/local/run.mjs", "generate");
  return clone;
}

/** Makes it a git repository with everything committed, so that `git status` shows what changes. */
export function commitAll({ exec }: Clone): void {
  exec("git", "init", "--quiet");
  exec("git", "add", "--all");
  const author = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
  exec("git", ...author, "commit", "--quiet", "--message", "all");
}

/** `npm start` on this port and those above it, once everything is ready. */
export async function startReady(
  clone: Clone,
  port: number,
  ...options: string[]
): Promise<Command> {
  const start = clone.run("start", "--json", "--port", String(port), ...options);
  const failed = start.ended.then((code) => {
    throw new Error(`ended with ${code}: ${start.printed()}`);
  });
  const ready = eventually(
    async () => start.printed(),
    (printed) => printed.includes("The graph is ready"),
    120_000,
  );
  await Promise.race([ready, failed]);
  failed.catch(() => {}); // from here on its end is the test's own matter
  return start;
}

function processesOf(folder: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return line.includes(folder) ? [`${pid} ${line}`] : [];
      } catch {
        return []; // it has just ended
      }
    });
}

/** A port with this many free ones from it on. */
export async function freeRange(count: number): Promise<number> {
  for (;;) {
    const first = await freePort();
    const others = Array.from({ length: count - 1 }, (_, i) => isFree(first + 1 + i));
    if ((await Promise.all(others)).every(Boolean)) return first;
  }
}
