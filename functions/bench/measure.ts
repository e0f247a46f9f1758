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
  /** Of its broker and database. */
  readonly backingCpuMs?: Figure;
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
  /** Through D, the broker and F; absent where there are none. */
  readonly messagesPerSecond?: Figure;
  /** By concurrency. */
  readonly points: Readonly<Record<string, Point>>;
}

export interface Sample {
  readonly right: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMs: number;
  readonly backingCpuMs: number;
  readonly clientCpu: number;
  readonly wrong: number;
  readonly firstWrong?: string;
}

/** Enough clients to fill the memory as in use, and no more than the smallest machine takes. */
const fillConcurrency = 25;

/** Enough to keep D, the broker and F at work at the same time. */
const eventConcurrency = 50;

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
  const events = new Map<string, number[]>();
  for (let round = 1; round <= rounds; round++) {
    for (const concurrency of concurrencies) {
      for (const one of contenders) {
        signal?.throwIfAborted();
        const key = `${one.name} ${concurrency}`;
        const taken = await sample(one, load, { concurrency, seconds });
        samples.set(key, [...(samples.get(key) ?? []), taken]);
      }
    }
    for (const one of contenders) {
      const rate = await sampleEvents(one, load, seconds);
      if (rate !== undefined) events.set(one.name, [...(events.get(one.name) ?? []), rate]);
    }
    report(`round ${round} of ${rounds}`);
  }
  return contenders.map((one) => ({
    name: one.name,
    memory: memory.get(one.name) as Memory,
    ...(events.has(one.name) && { messagesPerSecond: figureOf(events.get(one.name) ?? []) }),
    points: Object.fromEntries(
      concurrencies.map((concurrency) => [
        concurrency,
        pointOf(samples.get(`${one.name} ${concurrency}`) ?? [], one.processes.length > 0),
      ]),
    ),
  }));
}

/** Messages through D, the broker and F; undefined for a contender without them. */
export async function sampleEvents(
  contender: Contender,
  load: LoadGenerator,
  seconds: number,
): Promise<number | undefined> {
  const port = contender.port("service-d");
  if (port === undefined || contender.expected === "status") return undefined;
  const since = performance.now();
  const url = `http://127.0.0.1:${port}/api/greeting`;
  const expected = { services: ["Service-D"] };
  const result = await load.run({ url, expected, concurrency: eventConcurrency, seconds });
  if (result.wrong > 0) throw new Error(`service-d of ${contender.name}: ${result.firstWrong}`);
  await contender.settle(result.right);
  return (result.right / (performance.now() - since)) * 1_000;
}

/** One load, with all the work that follows it. */
export async function sample(
  contender: Contender,
  load: LoadGenerator,
  how: { concurrency: number; seconds: number; requests?: number },
): Promise<Sample> {
  const { url, expected, processes } = contender;
  const pids = processes.map(({ pid }) => pid);
  const backing = Object.values(contender.backingPids()).flat();
  const before = { functions: cpuMsOf(pids), backing: cpuMsOf(backing) };
  const result = await load.run({ url: url.href, expected, ...how });
  const failed = processes.map((one) => one.failure()).find(Boolean);
  if (failed) throw new Error(failed);
  // Where answers were wrong, not every one of them is followed by a message.
  if (result.wrong === 0) await contender.settle(result.right);
  const answers = result.right + result.wrong;
  return {
    ...result,
    cpuMs: (cpuMsOf(pids) - before.functions) / answers,
    backingCpuMs: (cpuMsOf(backing) - before.backing) / answers,
  };
}

function pointOf(samples: readonly Sample[], withCpu: boolean): Point {
  const figure = (of: (sample: Sample) => number) => figureOf(samples.map(of));
  const firstWrong = samples.find((one) => one.firstWrong !== undefined)?.firstWrong;
  return {
    perSecond: figure(({ perSecond }) => perSecond),
    p50Ms: figure(({ p50Ms }) => p50Ms),
    p99Ms: figure(({ p99Ms }) => p99Ms),
    ...(withCpu && {
      cpuMs: figure(({ cpuMs }) => cpuMs),
      backingCpuMs: figure(({ backingCpuMs }) => backingCpuMs),
    }),
    clientCpu: figure(({ clientCpu }) => clientCpu),
    wrong: samples.reduce((sum, { wrong }) => sum + wrong, 0),
    ...(firstWrong !== undefined && { firstWrong }),
  };
}

function residentOf({ processes }: Contender): Record<string, number> {
  return Object.fromEntries(processes.map(({ name, pid }) => [name, residentMibOf(pid)]));
}
