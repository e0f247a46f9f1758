/** `--profile`: where a contender's CPU goes, by package and by file of ours, over all its processes. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildFunctions } from "./built.ts";
import { columns } from "./columns.ts";
import { graphNames } from "./contender.ts";
import { type ContenderName, startContender } from "./contenders.ts";
import { startLoadGenerator } from "./load.ts";
import { sample } from "./measure.ts";
import { cpuMsOf } from "./processes.ts";
import type { MissionOptions, RunHooks } from "./run.ts";
import { profileClock, type SelfTime, selfTimes } from "./self-time.ts";

export interface Row {
  readonly what: string;
  readonly cpuMs: number;
  readonly share: number;
}

export interface ProfileResult {
  readonly contender: ContenderName;
  readonly concurrency: number;
  readonly requests: number;
  /** Of all function processes, per request. */
  readonly cpuMs: number;
  readonly byOwner: readonly Row[];
  readonly byNodeModule: readonly Row[];
  readonly byFunction: readonly Row[];
  readonly byProcess: readonly Row[];
}

/** Node writes a profile when a process exits, not when a signal ends it. */
const exitInOrder = `data:text/javascript,process.once("SIGTERM",()=>process.exit())`;

export async function runProfile(
  contender: ContenderName,
  options: MissionOptions,
  { report }: RunHooks,
): Promise<ProfileResult> {
  const folder = await mkdtemp(join(tmpdir(), "bench-profile-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const isOurs = contender.startsWith("ours");
  if (isOurs) report(`building ${graphNames.join(", ")}`);
  const built = isOurs ? stack.use(await buildFunctions(graphNames)) : undefined;
  const load = stack.use(startLoadGenerator());
  const folderOf = (name: string) => join(folder, name);
  report(`starting ${contender}`);
  const graph = await startContender(contender, {
    database: options.database,
    built,
    nodeArgs: (name) => [
      "--cpu-prof",
      `--cpu-prof-dir=${folderOf(name)}`,
      ...(isOurs ? [] : [`--import=${exitInOrder}`]),
    ],
  });
  const cpuByName = () => new Map(graph.processes.map(({ name, pid }) => [name, cpuMsOf([pid])]));
  const concurrency = options.concurrencies.at(-1) ?? 25;
  const seconds = options.seconds * options.rounds;
  let window: { from: number; to: number; requests: number; cpuMs: Map<string, number> };
  try {
    await sample(graph, load, { concurrency, seconds: 0, requests: options.requests });
    report(`profiling ${seconds} s with ${concurrency} clients`);
    const from = profileClock();
    const before = cpuByName();
    const { right, wrong, firstWrong } = await sample(graph, load, { concurrency, seconds });
    if (wrong > 0) throw new Error(`${wrong} answers were wrong: ${firstWrong}`);
    const after = cpuByName();
    const cpuMs = new Map([...after].map(([name, ms]) => [name, ms - (before.get(name) ?? 0)]));
    window = { from, to: profileClock(), requests: right, cpuMs };
  } finally {
    await graph[Symbol.asyncDispose]();
  }
  const { from, to, requests, cpuMs } = window;
  const spent = graph.processes.flatMap(({ name }) => {
    const times = selfTimes(folderOf(name), from, to);
    const micros = times.reduce((sum, one) => sum + one.micros, 0);
    // Samples say how the time is shared; how much it was, Linux says.
    const scale = (cpuMs.get(name) ?? 0) / requests / micros;
    return times.map((one) => ({ ...one, process: name, cpuMs: one.micros * scale }));
  });
  return {
    ...{ contender, concurrency, requests },
    cpuMs: [...cpuMs.values()].reduce((sum, one) => sum + one, 0) / requests,
    byOwner: rowsBy(spent, ownerOf),
    byNodeModule: rowsBy(spent.filter(isNodes), ({ where }) => where),
    byFunction: rowsBy(spent, (one) => one.function),
    byProcess: rowsBy(spent, ({ process }) => process),
  };
}

/** Node's own modules are one row among the owners, and have a table of their own. */
function ownerOf(one: SelfTime): string {
  return isNodes(one) ? "Node's own modules" : one.where;
}

function isNodes({ where }: SelfTime): boolean {
  return where.startsWith("node:");
}

function rowsBy<T extends SelfTime & { cpuMs: number }>(
  spent: readonly T[],
  key: (one: T) => string,
): Row[] {
  const sums = new Map<string, number>();
  for (const one of spent) sums.set(key(one), (sums.get(key(one)) ?? 0) + one.cpuMs);
  const all = [...sums.values()].reduce((sum, one) => sum + one, 0);
  return [...sums]
    .map(([what, cpuMs]) => ({ what, cpuMs, share: cpuMs / all }))
    .sort((a, b) => b.cpuMs - a.cpuMs);
}

/** Rows below this share are left out for a person; the JSON has all. */
const shownShare = 0.003;
const shownFunctions = 60;

export function profileLines(result: ProfileResult): string[] {
  const { contender, concurrency, requests, cpuMs, byOwner, byNodeModule, byFunction, byProcess } =
    result;
  const table = (title: string, rows: readonly Row[]) => [
    "",
    title,
    ...columns(
      rows
        .filter(({ share }) => share >= shownShare)
        .map((row) => [
          row.what,
          `${row.cpuMs.toFixed(3)} ms`,
          `${(row.share * 100).toFixed(1)} %`,
        ]),
    ),
  ];
  return [
    `${contender}, ${concurrency} clients, ${requests} requests: ${cpuMs.toFixed(2)} ms of CPU per request (with the profiler's own)`,
    ...table("By process", byProcess),
    ...table("Self time by package and by file of ours", byOwner),
    ...table("Of Node's own modules", byNodeModule),
    ...table("Self time by function", byFunction.slice(0, shownFunctions)),
  ];
}
