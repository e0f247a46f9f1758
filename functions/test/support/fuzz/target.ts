/** A function in a process of its own, to be tried with bad input. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { functionsDir } from "../../../local/discover.ts";
import { until } from "../until.ts";

export interface Target extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  /** For a caller's SERVICE_B_ADDRESS. */
  readonly address: string;
  /** Bytes that are resident after a collection of garbage. */
  memory(): Promise<number>;
  /** Throws with what the process said last where it has ended. */
  assertAlive(): void;
  /** What it has written to stderr: the host itself writes nothing there. */
  stderr(): string;
}

export interface TargetOptions {
  env?: Record<string, string>;
  /** Runs in place of host/main.ts. */
  entry?: string;
}

/** An entry: a greeter that needs no other process. */
export const greeterMain = join(import.meta.dirname, "greeter-main.ts");

export async function startTarget(
  name: string,
  { env = {}, entry = join(functionsDir, "host/main.ts") }: TargetOptions = {},
): Promise<Target> {
  const { PATH = "" } = process.env;
  const preload = new URL("memory.ts", import.meta.url).href;
  const child = spawn(process.execPath, ["--expose-gc", "--import", preload, entry], {
    env: { PATH, HOST: "127.0.0.1", PORT: "0", FUNCTION_TARGET: name, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]?.on("data", (chunk) => {
      // Its end says why a process died; the rest would be a log of every input.
      said[stream] = `${said[stream]}${chunk}`.slice(-20_000);
    });
  }
  const ended = once(child, "close");
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const portOf = () => /"port":(\d+)/.exec(said.stdout)?.[1];
  const assertAlive = () => {
    if (!hasEnded()) return;
    const last = `${said.stderr}\n${said.stdout.slice(-2_000)}`;
    throw new Error(`${name} ended with ${child.exitCode ?? child.signalCode}: ${last}`);
  };
  try {
    await until(`${name} listens`, () => portOf() || hasEnded(), 20_000);
    assertAlive();
  } catch (thrown) {
    child.kill("SIGKILL");
    throw thrown;
  }
  const port = Number(portOf());
  return {
    name,
    port,
    address: `127.0.0.1:${port}`,
    memory: () => memoryOf(child),
    assertAlive,
    stderr: () => said.stderr,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function memoryOf(child: ChildProcess): Promise<number> {
  const answer = once(child, "message");
  child.send("memory");
  const [{ rss }] = (await answer) as [{ rss: number }];
  return rss;
}
