/** A long steady load at half of what the system can do: whether memory, descriptors and sockets stay, and answers stay fast. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import type { Lab } from "./lab.ts";
import { type Asked, type Load, startLoad } from "./load.ts";

/** Of one process, at one moment. */
interface Sample {
  readonly atMs: number;
  readonly memoryMiB: number;
  readonly descriptors: number;
  readonly sockets: number;
}

export interface ProcessRow {
  readonly name: string;
  /** Medians of the first and of the last fifth, after the warm-up. */
  readonly memoryMiB: readonly [number, number];
  /** At rest, before and after: under load there are as many connections as there were requests at one time. */
  readonly descriptors: readonly [number, number];
  readonly sockets: readonly [number, number];
  /** MiB a minute, by least squares, and the standard error of that. */
  readonly slope: number;
  readonly slopeError: number;
}

export interface Soak {
  readonly rate: number;
  readonly requests: number;
  readonly failed: number;
  /** Of the first and the last minute, ms. */
  readonly p99: readonly [number, number];
  readonly processes: readonly ProcessRow[];
  readonly problems: readonly string[];
}

const everyMs = 2_000;
/** Longer than any client of ours keeps a connection that it does not use. */
const restMs = 20_000;
/** The database's driver keeps its own, up to a bound. */
const mostKept = 5;
/** Of the whole time: compiled code and pools grow until then. */
const warmUp = 0.3;

/** Requests a second that the system answers with so many clients at a time. */
export async function measureCapacity(lab: Lab, clients = 25, lastsMs = 20_000): Promise<number> {
  const url = new URL("/api/greeting", lab.address);
  const end = performance.now() + lastsMs;
  let answered = 0;
  const client = async () => {
    while (performance.now() < end) {
      const { status } = await fetch(url).then(async (answer) => {
        await answer.arrayBuffer();
        return answer;
      });
      if (status === 200) answered++;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return (answered * 1_000) / lastsMs;
}

export async function soak(
  lab: Lab,
  rate: number,
  lastsMs: number,
  signal: AbortSignal,
): Promise<Soak> {
  const names = lab.graph.functions.map(({ name }) => name).filter((name) => name !== "ui");
  const since = performance.now();
  const look = () =>
    new Map(
      names.flatMap((name) => {
        const { pid } = lab.graph.function(name);
        return pid ? [[name, sampleOf(pid, performance.now() - since)] as const] : [];
      }),
    );
  const rest = async () => {
    await wait(restMs, undefined, { signal }).catch(() => {});
    return look();
  };
  const before = await rest();
  const under: ReturnType<typeof look>[] = [];
  const end = performance.now() + lastsMs;
  const load: Load = startLoad(lab.address, rate);
  while (performance.now() < end && !signal.aborted) {
    under.push(look());
    await wait(everyMs);
  }
  await load.stop();
  lab.ledger.add(load.done);
  const after = await rest();
  const processes = names.map((name) => {
    const samples = under.flatMap((one) => one.get(name) ?? []);
    return rowOf(name, samples, [before.get(name), after.get(name)]);
  });
  const failed = load.done.filter(({ verdict }) => verdict.kind !== "right");
  const first = load.done[0]?.sentAt ?? 0;
  const last = load.done.at(-1)?.sentAt ?? 0;
  const p99 = [
    percentile(load.done.filter(({ sentAt }) => sentAt - first < 60_000)),
    percentile(load.done.filter(({ sentAt }) => last - sentAt < 60_000)),
  ] as const;
  const problems = processes.flatMap(problemsOf);
  if (failed.length > 0) {
    const [one] = failed;
    const said = one && "detail" in one.verdict ? one.verdict.detail : "";
    problems.push(`${failed.length} requests failed: ${said}`);
  }
  if (p99[1] > 1.5 * p99[0])
    problems.push("p99 of the last minute is more than 1.5 times the first");
  const balance = await lab.ledger.compare(lab.stores);
  // The requests that measured the capacity are not in the ledger, so it can say nothing of doubled ones.
  if (balance.lost + balance.wrong > 0) problems.push(...balance.examples);
  return { rate, requests: load.done.length, failed: failed.length, p99, processes, problems };
}

function problemsOf({ name, slope, slopeError, memoryMiB, descriptors }: ProcessRow): string[] {
  const problems: string[] = [];
  // What is within three standard errors is noise; what is less than this a minute no soak of minutes can tell.
  const [before, after] = memoryMiB;
  if (slope > 3 * slopeError && slope > 0.5 && after > 1.1 * before) {
    problems.push(`${name}: memory grows by ${slope.toFixed(2)} MiB a minute`);
  }
  if (descriptors[1] > descriptors[0] + mostKept) {
    problems.push(`${name}: ${descriptors[0]} descriptors at rest have become ${descriptors[1]}`);
  }
  return problems;
}

function sampleOf(pid: number, atMs: number): Sample {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kib = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
  const open = readdirSync(`/proc/${pid}/fd`);
  const sockets = open.filter((fd) => linkOf(`/proc/${pid}/fd/${fd}`).startsWith("socket:"));
  return { atMs, memoryMiB: kib / 1_024, descriptors: open.length, sockets: sockets.length };
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // it has just been closed
  }
}

function rowOf(
  name: string,
  all: readonly Sample[],
  [before, after]: readonly [Sample | undefined, Sample | undefined],
): ProcessRow {
  const samples = all.slice(Math.floor(all.length * warmUp));
  const fifth = Math.max(1, Math.floor(samples.length / 5));
  const memoryOf = (some: readonly Sample[]) => median(some.map(({ memoryMiB }) => memoryMiB));
  return {
    name,
    memoryMiB: [memoryOf(samples.slice(0, fifth)), memoryOf(samples.slice(-fifth))],
    descriptors: [before?.descriptors ?? Number.NaN, after?.descriptors ?? Number.NaN],
    sockets: [before?.sockets ?? Number.NaN, after?.sockets ?? Number.NaN],
    ...slopeOf(samples),
  };
}

function slopeOf(samples: readonly Sample[]): { slope: number; slopeError: number } {
  const x = samples.map(({ atMs }) => atMs / 60_000);
  const y = samples.map(({ memoryMiB }) => memoryMiB);
  const mean = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0) / list.length;
  const [mx, my] = [mean(x), mean(y)];
  const sxx = x.reduce((sum, one) => sum + (one - mx) ** 2, 0);
  const sxy = x.reduce((sum, one, i) => sum + (one - mx) * ((y[i] ?? 0) - my), 0);
  const slope = sxy / sxx;
  const rest = y.reduce((sum, one, i) => sum + (one - my - slope * ((x[i] ?? 0) - mx)) ** 2, 0);
  return { slope, slopeError: Math.sqrt(rest / Math.max(1, x.length - 2) / sxx) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function percentile(asked: readonly Asked[]): number {
  const times = asked.map(({ sentAt, doneAt }) => doneAt - sentAt).sort((a, b) => a - b);
  return times[Math.floor(times.length * 0.99)] ?? Number.NaN;
}

export function showSoak({ rate, requests, failed, p99, processes, problems }: Soak): string {
  const pair = ([before, after]: readonly [number, number], digits = 0) =>
    `${before.toFixed(digits)} > ${after.toFixed(digits)}`;
  const rows = processes.map(
    ({ name, memoryMiB, slope, slopeError, descriptors, sockets }) =>
      `${name.padEnd(12)}${pair(memoryMiB, 1).padStart(16)}${`${slope.toFixed(2)} ± ${slopeError.toFixed(2)}`.padStart(16)}` +
      `${pair(descriptors).padStart(21)}${pair(sockets).padStart(12)}`,
  );
  return [
    `${requests} requests at ${rate.toFixed(1)}/s, ${failed} failed; p99 ${p99[0]} ms in the first minute, ${p99[1]} ms in the last`,
    `${"function".padEnd(12)}${"memory, MiB".padStart(16)}${"MiB a minute".padStart(16)}${"descriptors at rest".padStart(21)}${"sockets".padStart(12)}`,
    ...rows,
    ...problems.map((problem) => `  ! ${problem}`),
  ].join("\n");
}
