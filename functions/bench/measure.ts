/** Contenders side by side: at each point A B A B, so that what else the machine does meets all of them. */
import type { Contender } from "./contender.ts";
import type { LoadGenerator } from "./load.ts";
import { cpuMsOf, residentMibOf } from "./processes.ts";
import { type Figure, figureOf } from "./statistics.ts";

export interface MeasureOptions {
  readonly contenders: readonly Contender[];
  readonly load: LoadGenerator;
  readonly concurrencies: readonly number[];
  readonly rounds: number;
  readonly seconds: number;
  /** How many requests are made before memory is read the second time. */
  readonly requests: number;
  readonly signal?: AbortSignal;
  report(line: string): void;
}

export interface Point {
  readonly perSecond: Figure;
  readonly p50Ms: Figure;
  readonly p99Ms: Figure;
  /** Over all function processes, with the work that follows the answer; absent for what runs elsewhere. */
  readonly cpuMs?: Figure;
  readonly clientCpu: Figure;
  readonly wrong: number;
  readonly firstWrong?: string;
}

export interface Memory {
  /** By function. */
  readonly idleMib: Readonly<Record<string, number>>;
  readonly loadedMib: Readonly<Record<string, number>>;
}

export interface Measured {
  readonly name: string;
  readonly memory: Memory;
  /** By concurrency. */
  readonly points: Readonly<Record<string, Point>>;
}

export interface Sample {
  readonly right: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMs: number;
  readonly clientCpu: number;
  readonly wrong: number;
  readonly firstWrong?: string;
}

/** Enough clients to fill the memory as in use, and no more than the smallest machine takes. */
const fillConcurrency = 25;

export async function measure(options: MeasureOptions): Promise<Measured[]> {
  const { contenders, load, concurrencies, rounds, seconds, requests, signal, report } = options;
  const memory = new Map<string, Memory>();
  // This is the warm-up as well.
  for (const one of contenders) {
    signal?.throwIfAborted();
    report(`${one.name}: memory before and after ${requests} requests`);
    const idleMib = residentOf(one);
    await sample(one, load, { concurrency: fillConcurrency, seconds: 0, requests });
    memory.set(one.name, { idleMib, loadedMib: residentOf(one) });
  }
  const samples = new Map<string, Sample[]>();
  for (let round = 1; round <= rounds; round++) {
    for (const concurrency of concurrencies) {
      for (const one of contenders) {
        signal?.throwIfAborted();
        const key = `${one.name} ${concurrency}`;
        const taken = await sample(one, load, { concurrency, seconds });
        samples.set(key, [...(samples.get(key) ?? []), taken]);
      }
    }
    report(`round ${round} of ${rounds}`);
  }
  return contenders.map((one) => ({
    name: one.name,
    memory: memory.get(one.name) as Memory,
    points: Object.fromEntries(
      concurrencies.map((concurrency) => [
        concurrency,
        pointOf(samples.get(`${one.name} ${concurrency}`) ?? [], one.processes.length > 0),
      ]),
    ),
  }));
}

/** One load, with all the work that follows it. */
export async function sample(
  contender: Contender,
  load: LoadGenerator,
  how: { concurrency: number; seconds: number; requests?: number },
): Promise<Sample> {
  const { url, expected, processes } = contender;
  const pids = processes.map(({ pid }) => pid);
  const before = cpuMsOf(pids);
  const result = await load.run({ url: url.href, expected, ...how });
  const failed = processes.map((one) => one.failure()).find(Boolean);
  if (failed) throw new Error(failed);
  // Where answers were wrong, not every one of them is followed by a message.
  if (result.wrong === 0) await contender.settle();
  return { ...result, cpuMs: (cpuMsOf(pids) - before) / (result.right + result.wrong) };
}

function pointOf(samples: readonly Sample[], withCpu: boolean): Point {
  const figure = (of: (sample: Sample) => number) => figureOf(samples.map(of));
  const firstWrong = samples.find((one) => one.firstWrong !== undefined)?.firstWrong;
  return {
    perSecond: figure(({ perSecond }) => perSecond),
    p50Ms: figure(({ p50Ms }) => p50Ms),
    p99Ms: figure(({ p99Ms }) => p99Ms),
    ...(withCpu && { cpuMs: figure(({ cpuMs }) => cpuMs) }),
    clientCpu: figure(({ clientCpu }) => clientCpu),
    wrong: samples.reduce((sum, { wrong }) => sum + wrong, 0),
    ...(firstWrong !== undefined && { firstWrong }),
  };
}

function residentOf({ processes }: Contender): Record<string, number> {
  return Object.fromEntries(processes.map(({ name, pid }) => [name, residentMibOf(pid)]));
}
