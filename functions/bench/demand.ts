/** What each process of the graph takes of the CPU for a request, and what is left of the machine for all of them. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Contender } from "./contender.ts";
import type { LoadGenerator } from "./load.ts";
import { type Sample, sample } from "./measure.ts";
import { cpuMsOf, tickMs } from "./processes.ts";
import { figureOf } from "./statistics.ts";

/** CPU ms per request, by process: functions by their names, and `broker`, `database`, `clients`. */
export type Demands = Readonly<Record<string, number>>;

export interface Demanded {
  readonly demands: Demands;
  /** Those of the machine without what other work took meanwhile. */
  readonly cores: number;
  readonly perSecond: number;
  readonly meanMs: number;
}

export interface DemandOptions {
  readonly concurrency: number;
  readonly seconds: number;
}

/** One load, with the work that follows it. */
export async function sampleDemands(
  contender: Contender,
  load: LoadGenerator,
  how: DemandOptions,
): Promise<Demanded> {
  const pids = {
    ...Object.fromEntries(contender.processes.map(({ name, pid }) => [name, [pid]])),
    ...contender.backingPids(),
  };
  const read = () => Object.entries(pids).map(([name, of]) => [name, cpuMsOf(of)] as const);
  const [before, since, busyBefore] = [new Map(read()), performance.now(), busyMs()];
  const taken = await sample(contender, load, how);
  const [after, lastedMs, busy] = [read(), performance.now() - since, busyMs() - busyBefore];
  if (taken.wrong > 0) throw new Error(`${taken.wrong} answers were wrong: ${taken.firstWrong}`);
  const ours = after.map(([name, ms]) => [name, ms - (before.get(name) ?? 0)] as const);
  const clientMs = clientMsOf(taken);
  const others = busy - ours.reduce((sum, [, ms]) => sum + ms, clientMs);
  return {
    demands: {
      ...Object.fromEntries(ours.map(([name, ms]) => [name, ms / taken.right])),
      clients: clientMs / taken.right,
    },
    cores: availableParallelism() - Math.max(0, others / lastedMs),
    perSecond: taken.perSecond,
    // A closed loop: each client has one request at any time (Little).
    meanMs: (how.concurrency / taken.perSecond) * 1_000,
  };
}

function clientMsOf({ clientCpu, right, perSecond }: Sample): number {
  return clientCpu * (right / perSecond) * 1_000;
}

/** CPU time of all the machine, with what its host took of it, in the ticks of /proc/stat. */
function busyMs(): number {
  const [total = ""] = readFileSync("/proc/stat", "utf8").split("\n", 1);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = total
    .replace(/^cpu +/, "")
    .split(" ")
    .map(Number);
  return (user + nice + system + irq + softirq + steal) * tickMs;
}

/** Medians over rounds. */
export function medianOf(rounds: readonly Demanded[]): Demanded {
  const median = (of: (one: Demanded) => number) => figureOf(rounds.map(of)).median;
  const names = Object.keys(rounds[0]?.demands ?? {});
  return {
    demands: Object.fromEntries(
      names.map((name) => [name, median(({ demands }) => demands[name] ?? 0)]),
    ),
    cores: median(({ cores }) => cores),
    perSecond: median(({ perSecond }) => perSecond),
    meanMs: median(({ meanMs }) => meanMs),
  };
}
