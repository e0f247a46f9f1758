/** `--cold`: from a process's start to its first answer. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { freePort } from "../local/ports.ts";
import { ask } from "../local/probe.ts";
import { root } from "../local/tool-env.ts";
import { spawnNullDatabase } from "./backing.ts";
import { type Built, buildFunctions } from "./built.ts";
import { columns, showFigure } from "./columns.ts";
import { cpuMsOf } from "./processes.ts";
import type { RunHooks } from "./run.ts";
import { type Figure, figureOf } from "./statistics.ts";

export interface ColdResult {
  readonly starts: number;
  /** ms, by what was started. */
  readonly ms: Readonly<Record<string, Figure>>;
  /** CPU until then, which other work on the machine changes less. */
  readonly cpuMs: Readonly<Record<string, Figure>>;
}

export const hello = "functions-framework hello";
export const readyA = "service-a, ready";
export const readyC = "service-c, ready";
/** With its database: what is loaded late is loaded here. */
export const greetingC = "service-c, first greeting saved";
/** What Knative waits for before it sends a request. */
const ready = "/readyz/self";
const functions = ["service-a", "service-c"];
const limitMs = 20_000;
const stock = join(root, "node_modules/@google-cloud/functions-framework/build/src/main.js");

interface Started {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly path: string;
}

/** Each in turn; the first start of each is not counted, for its files may not be in memory. */
export async function runCold(starts: number, hooks: RunHooks): Promise<ColdResult> {
  hooks.report(`building ${functions.join(", ")}`);
  await using built = await buildFunctions(functions);
  await using database = await spawnNullDatabase();
  const start = (name: string, path: string) => startOf(built, name, database.url, path);
  const kinds = new Map<string, Started>([
    [hello, { args: [stock, "--target=hello", `--source=${helloSource}`], env: {}, path: "/" }],
    [readyA, start("service-a", ready)],
    [readyC, start("service-c", ready)],
    [greetingC, start("service-c", "/api/greeting")],
  ]);
  const took = new Map<string, FirstAnswer[]>();
  for (let start = 0; start <= starts; start++) {
    for (const [name, kind] of kinds) {
      hooks.signal?.throwIfAborted();
      const first = await firstAnswer(kind);
      if (start > 0) took.set(name, [...(took.get(name) ?? []), first]);
    }
  }
  hooks.report(`${starts} starts of each`);
  const figures = (of: (one: FirstAnswer) => number) =>
    Object.fromEntries([...took].map(([name, all]) => [name, figureOf(all.map(of))]));
  return { starts, ms: figures(({ ms }) => ms), cpuMs: figures(({ cpuMs }) => cpuMs) };
}

interface FirstAnswer {
  readonly ms: number;
  readonly cpuMs: number;
}

const helloSource = join(import.meta.dirname, "plain/hello.mjs");

function startOf(built: Built, name: string, mongo: string, path: string): Started {
  const { args, env } = built.imageOf(name).start;
  return { args, env: { ...env, HOST: "127.0.0.1", MONGODB_URL: mongo }, path };
}

async function firstAnswer({ args, env, path }: Started): Promise<FirstAnswer> {
  const port = await freePort();
  const since = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, NODE_ENV: "production", ...env, PORT: String(port) },
    stdio: "ignore",
  });
  const closed = once(child, "close");
  try {
    while ((await ask(port, path))?.status !== 200) {
      if (child.exitCode !== null)
        throw new Error(`${args.join(" ")}: exit code ${child.exitCode}`);
      if (performance.now() - since > limitMs) throw new Error(`${args.join(" ")}: no answer`);
      await wait(1);
    }
    return { ms: performance.now() - since, cpuMs: cpuMsOf([child.pid ?? 0]) };
  } finally {
    child.kill("SIGKILL");
    await closed;
  }
}

export function coldLines({ starts, ms, cpuMs }: ColdResult): string[] {
  const share = (figures: ColdResult["ms"], name: string) =>
    ((figures[name]?.median ?? Number.NaN) / (figures[hello]?.median ?? Number.NaN)).toFixed(2);
  return [
    `Cold start, process start to first answer, medians of ${starts}`,
    ...columns([
      ["started", "ms", "of hello", "CPU ms", "of hello"],
      ...Object.entries(ms).map(([name, figure]) => [
        name,
        ...[showFigure(figure), share(ms, name)],
        ...[showFigure(cpuMs[name]), share(cpuMs, name)],
      ]),
    ]),
  ];
}
