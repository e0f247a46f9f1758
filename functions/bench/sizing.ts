/** `--sizing`: what N requests per second take in a cluster, from the inputs in knative/SIZING.md. */
import type { Declared } from "./simulation.ts";

/** By name: `cpu.service-a`, `utilisation`, … */
export type Inputs = (name: string) => number;

/** Requests per second that the tables are for. */
export const rates = [10, 100, 1_000, 10_000, 100_000] as const;

export interface FunctionSize {
  readonly name: string;
  readonly cpuMs: number;
  /** Of one pod, at the wanted utilisation. */
  readonly podPerSecond: number;
  /** At that rate, its callees' included. */
  readonly latencyMs: number;
  /** For `deploy.scale.target`. */
  readonly target: number;
  readonly podsAt: (perSecond: number) => number;
}

/** The inputs are the rows of the page that begin with a name in backticks and a number. */
export function inputsOf(page: string): Inputs {
  const rows = page.matchAll(/^\| `([\w.-]+)` \| ([\d.,]+) \|/gm);
  const values = new Map(
    [...rows].map(([, name = "", value = ""]) => [name, Number(value.replaceAll(",", ""))]),
  );
  return (name) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`there is no input \`${name}\``);
    return value;
  };
}

/** Of each function that a request at the entry reaches, by calls or by a queue, callers first. */
export function functionSizes(
  graph: readonly Declared[],
  entry: string,
  input: Inputs,
): FunctionSize[] {
  const byName = new Map(graph.map((one) => [one.name, one]));
  const latencyOf = (name: string): number => {
    const { calls = [], effects = [] } = byName.get(name) ?? {};
    const waits = [
      ...calls.map((callee) => input("hop") + latencyOf(callee.name)),
      ...effects.map(({ system }) => input(system === "mongodb" ? "save" : "confirm")),
    ];
    // Callees and effects are waited for at the same time; its own work waits for its one thread.
    return input(`cpu.${name}`) / (1 - input("utilisation")) + Math.max(0, ...waits);
  };
  return reached(graph, entry).map(({ name }) => {
    const cpuMs = input(`cpu.${name}`);
    const podPerSecond = (1_000 / cpuMs) * Math.min(1, input("limit")) * input("utilisation");
    const latencyMs = latencyOf(name);
    return {
      ...{ name, cpuMs, podPerSecond, latencyMs },
      target: Math.round((latencyMs / cpuMs) * Math.min(1, input("limit"))),
      podsAt: (perSecond: number) => Math.ceil(perSecond / podPerSecond),
    };
  });
}

function reached(graph: readonly Declared[], entry: string): Declared[] {
  const found: Declared[] = [];
  const visit = (one: Declared | undefined) => {
    if (!one || found.includes(one)) return;
    found.push(one);
    for (const { name } of one.calls) visit(graph.find((other) => other.name === name));
    for (const { destination } of one.effects)
      visit(graph.find(({ from }) => from === destination));
  };
  visit(graph.find(({ name }) => name === entry));
  return found;
}

export interface ClusterSize {
  readonly perSecond: number;
  readonly pods: number;
  /** With those of the sources. */
  readonly functionCores: number;
  /** Of sidecars and queue-proxies. */
  readonly meshCores: number;
  readonly memoryGib: number;
  readonly brokerCores: number;
  readonly queues: number;
  readonly sources: number;
  readonly documentsPerSecond: number;
  readonly databaseCores: number;
  readonly shards: number;
}

export function clusterSize(
  graph: readonly Declared[],
  sizes: readonly FunctionSize[],
  input: Inputs,
  perSecond: number,
): ClusterSize {
  const cores = (cpuMs: number) => (perSecond * cpuMs) / 1_000 / input("utilisation");
  const sum = (of: (one: FunctionSize) => number) =>
    sizes.reduce((total, one) => total + of(one), 0);
  const pods = sum(({ podsAt }) => podsAt(perSecond));
  const effects = graph.flatMap((one) =>
    sizes.some(({ name }) => name === one.name) ? one.effects : [],
  );
  const documents = effects.filter(({ system }) => system === "mongodb").length;
  const queues = Math.ceil(perSecond / queueLimit(input));
  const sources = Math.max(queues, Math.ceil(perSecond / sourceLimit(graph, sizes, input)));
  const databaseCores = cores(input("cpu.database"));
  return {
    perSecond,
    pods,
    functionCores: cores(sum(({ cpuMs }) => cpuMs) + input("cpu.bridge")),
    meshCores: cores(sizes.length * (input("cpu.sidecar") + input("cpu.queue-proxy"))),
    memoryGib: ((pods + sources) * (input("memory.function") + input("memory.pod"))) / 1_024,
    brokerCores: cores(input("cpu.broker")),
    queues,
    sources,
    documentsPerSecond: perSecond * documents,
    databaseCores,
    shards: Math.max(1, Math.ceil(databaseCores / input("shard.cores"))),
  };
}

/** Messages per second of one queue that leave it room. */
export function queueLimit(input: Inputs): number {
  return input("queue") * input("utilisation");
}

/** Messages per second of one source: so many at a time, each until its consumer has answered; and one process's CPU. */
export function sourceLimit(
  graph: readonly Declared[],
  sizes: readonly FunctionSize[],
  input: Inputs,
): number {
  const consumers = sizes.filter(({ name }) => graph.find((one) => one.name === name)?.from);
  const latencyMs = Math.max(...consumers.map((one) => one.latencyMs)) + input("hop");
  const byWaiting = (input("parallelism") / latencyMs) * 1_000;
  return input("utilisation") * Math.min(byWaiting, 1_000 / input("cpu.bridge"));
}

export interface Limit {
  readonly perSecond: number;
  readonly what: string;
  readonly change: string;
}

/** What the declared defaults hold up to, the first to saturate first. */
export function limitsOf(
  graph: readonly Declared[],
  sizes: readonly FunctionSize[],
  input: Inputs,
): Limit[] {
  const slowest = sizes.reduce((least, one) =>
    one.podPerSecond < least.podPerSecond ? one : least,
  );
  const maximum = input("max-scale");
  const all: Limit[] = [
    {
      perSecond: slowest.podPerSecond,
      what: `one pod of ${slowest.name}`,
      change: "nothing: Knative adds pods by the target",
    },
    {
      perSecond: slowest.podPerSecond * maximum,
      what: `${maximum} pods of ${slowest.name}`,
      change: "`deploy.scale.max` of the functions in the first table",
    },
    {
      perSecond: queueLimit(input),
      what: "one quorum queue",
      change: "several queues behind one exchange",
    },
    {
      perSecond: sourceLimit(graph, sizes, input),
      what: "one RabbitmqSource",
      change: "more sources at the same queue, or a higher `parallelism`",
    },
    {
      perSecond: (input("shard.cores") * input("utilisation") * 1_000) / input("cpu.database"),
      what: `one database primary with ${input("shard.cores")} cores`,
      change: "shards, by the hashed `_id`",
    },
  ];
  return all.sort((one, other) => one.perSecond - other.perSecond);
}
