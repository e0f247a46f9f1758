/** `npm start` as a person runs it: what all its processes hold, and how fast it answers. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { whyNoNpmStart } from "../chaos/npm-start.ts";
import { functionNames } from "../local/discover.ts";
import {
  type Clone,
  type Command,
  freeRange,
  makeClone,
  startReady,
} from "../test/support/clone.ts";
import { columns, showFigure } from "./columns.ts";
import { type LoadResult, startLoadGenerator } from "./load.ts";
import { residentMibOf, treeOf } from "./processes.ts";
import type { RunHooks } from "./run.ts";
import { type Figure, figureOf } from "./statistics.ts";

export interface WholeResult {
  readonly requests: number;
  readonly residentMib: number;
  /** With each shared page counted once. */
  readonly proportionalMib: number;
  /** By command, the largest first. */
  readonly processes: readonly { readonly what: string; readonly mib: number }[];
}

export interface AgainstStartResult {
  /** Requests per second with 25 clients, right after the start. */
  readonly here: Figure;
  readonly there: Figure;
}

const concurrency = 25;
const comparedRequests = 2_000;

export async function runWhole(requests: number, { report }: RunHooks): Promise<WholeResult> {
  return withNpmStart(undefined, async ({ url, pids }) => {
    report(`npm start: ${requests} requests`);
    await ask(url, requests);
    const processes = pids().map((pid) => ({
      what: commandOf(pid),
      mib: residentMibOf(pid),
      proportionalMib: proportionalMibOf(pid),
    }));
    const sum = (of: (one: (typeof processes)[number]) => number) =>
      processes.reduce((total, one) => total + of(one), 0);
    return {
      requests,
      residentMib: sum(({ mib }) => mib),
      proportionalMib: sum((one) => one.proportionalMib),
      processes: processes
        .map(({ what, mib }) => ({ what, mib }))
        .sort((one, other) => other.mib - one.mib),
    };
  });
}

/** One after the other in turn: both at the same time would share the machine. */
export async function runAgainstStart(
  folder: string,
  rounds: number,
  { report, signal }: RunHooks,
): Promise<AgainstStartResult> {
  const speeds = { here: [] as number[], there: [] as number[] };
  for (let round = 1; round <= rounds; round++) {
    for (const side of ["there", "here"] as const) {
      signal?.throwIfAborted();
      const perSecond = await withNpmStart(
        side === "there" ? folder : undefined,
        async ({ url }) => {
          return (await ask(url, comparedRequests)).perSecond;
        },
      );
      speeds[side].push(perSecond);
      report(`npm start ${side}, round ${round}: ${perSecond.toFixed(0)} requests/s`);
    }
  }
  return { here: figureOf(speeds.here), there: figureOf(speeds.there) };
}

interface Running {
  readonly url: string;
  /** Of all that it has started, and its own. */
  pids(): number[];
}

async function withNpmStart<T>(
  from: string | undefined,
  work: (running: Running) => Promise<T>,
): Promise<T> {
  const obstacle = await whyNoNpmStart();
  if (obstacle) throw new Error(obstacle);
  await using clone = await makeClone({}, from);
  const port = await freeRange(functionNames().length);
  const command = await startReady(clone, port);
  try {
    const url = `http://127.0.0.1:${port}/api/greeting`;
    return await work({ url, pids: () => pidsOf(clone, command) });
  } finally {
    command.signal("SIGINT");
    await command.ended;
  }
}

/** A helper that has left the tree still has the clone's folder in its command line. */
function pidsOf(clone: Clone, { child }: Command): number[] {
  const named = clone.processes().map((line) => Number.parseInt(line, 10));
  return [...new Set([...treeOf(child.pid ?? 0), ...named])];
}

async function ask(url: string, requests: number): Promise<LoadResult> {
  await using load = startLoadGenerator();
  const result = await load.run({ url, expected: "greetings", concurrency, seconds: 0, requests });
  if (result.wrong > 0) throw new Error(`${result.wrong} answers were wrong: ${result.firstWrong}`);
  return result;
}

/** Of a function its name: the command lines of all functions are the same. */
function commandOf(pid: number): string {
  const [file = "", script = ""] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  const name = basename(file);
  if (name !== "node") return name;
  const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  const target = environment.find((entry) => entry.startsWith("FUNCTION_TARGET="));
  return target?.replace("FUNCTION_TARGET=", "") ?? `node ${basename(script)}`;
}

/** Linux: shared pages by how many processes share them. */
function proportionalMibOf(pid: number): number {
  const [, kib] =
    /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? [];
  return Number(kib ?? 0) / 1_024;
}

export function wholeLines(result: WholeResult): string[] {
  const { requests, residentMib, proportionalMib, processes } = result;
  return [
    `npm start after ${requests} requests: ${residentMib.toFixed(0)} MiB resident, ${proportionalMib.toFixed(0)} MiB with shared pages counted once`,
    ...columns(processes.map(({ what, mib }) => [what, mib.toFixed(0)])),
  ];
}

export function againstStartLines({ here, there }: AgainstStartResult): string[] {
  return [
    `npm start, ${comparedRequests} requests by ${concurrency} clients, requests/s`,
    ...columns([
      ["here", showFigure(here)],
      ["there", showFigure(there)],
      ["ratio", (here.median / there.median).toFixed(2)],
    ]),
  ];
}
