import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface Run extends AsyncDisposable {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** The exit code, or the name of the signal that ended it. */
  readonly exit: Promise<number | string | null>;
}

/** Runs Node with these arguments and nothing in its environment but `env`; disposal kills it. */
export function runNode(args: readonly string[], env: Record<string, string> = {}): Run {
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, args, {
    env: { PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const exit = once(child, "close").then(([code, signal]) => code ?? signal);
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    exit,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exit;
    },
  };
}
