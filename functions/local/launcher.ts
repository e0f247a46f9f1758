import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assignPorts, type Ports } from "./addresses.ts";
import type { Canary } from "./canary/canary.ts";
import { type Deployable, loadFunctions } from "./discover.ts";
import { envOf, type Unit, urlsFor } from "./function-env.ts";
import { FunctionProcess } from "./function-process.ts";
import { createGraph, type Graph, untilReady } from "./graph.ts";
import { assignInspectors } from "./inspect.ts";
import { type LiveServer, startLiveServer } from "./live/live-server.ts";
import { startMongoDb } from "./services/mongodb.ts";
import { startRabbitMq } from "./services/rabbitmq.ts";
import type { RunningService, ServiceOptions } from "./services/service.ts";

export const parts = ["RabbitMQ", "MongoDB", "functions"] as const;
export type Part = (typeof parts)[number];

/** Hears how far the start is; a failure is thrown instead. */
export interface Progress {
  say(part: Part, line: string): void;
  done(part: Part, line: string): void;
}

export interface GraphOptions {
  /** Hidden folder for the data of the services and the record of what runs. */
  dataDir: string;
  /** Downloads and compiled code, which several data folders may share. Default: dataDir/cache. */
  cacheDir?: string;
  ports: Ports;
  /** For the functions and the services: RABBITMQ_URL, CALL_PROTOCOL, LOG_LEVEL and so on. */
  env?: NodeJS.ProcessEnv;
  /** A broker and a database of its own, on ports of their own. */
  private?: boolean;
  /** All functions in one process, for small machines and debuggers. */
  oneProcess?: boolean;
  /** A second version of a function, which gets its share of the calls to that; not with `oneProcess`. */
  canary?: Canary | undefined;
  /** Functions that a debugger may attach to, and pause for as long as it likes. */
  inspect?: readonly string[];
  /** Where a function's process begins, in place of its source: its bundle, say. */
  entryOf?(name: string): string | undefined;
  /** What a function's process gets in place of the environment made for it: other addresses, say. */
  envOf?(name: string, env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv>;
  /** Where the functions send their spans in place of the live graph, which then shows none: a receiver's address. */
  spansTo?: string;
  /** Ends a start that is under way; without it, that waits until everything is ready. */
  signal?: AbortSignal;
  /** Gets the functions' logs: one JSON object per line. */
  logs?(line: string): void;
  /** Gets what happens after the start: an end, a crash, a stop. */
  report?(line: string): void;
  progress?: Progress;
  /** Gets every file of ours that a function loads, each time it starts. */
  onImport?(name: string, file: string): void;
}

const entry = fileURLToPath(new URL("../host/main.ts", import.meta.url));
const oneProcessEntry = fileURLToPath(new URL("one-process.ts", import.meta.url));
const canaryPreload = new URL("canary/preload.ts", import.meta.url).href;
const reportImports = new URL("report-imports.ts", import.meta.url).href;

/**
 * Starts the whole graph on this machine: RabbitMQ, MongoDB, and each function as soon as what it
 * needs is there. Settles when all are ready; a start that fails or is aborted leaves nothing behind.
 */
export async function startGraph(options: GraphOptions): Promise<Graph> {
  const { progress, report = () => {}, canary, oneProcess = false } = options;
  // Before anything is started: a declaration that is wrong ends it here.
  const functions = await loadFunctions();
  const names = [...functions.map(({ name }) => name), ...(canary ? [canary.name] : [])];
  const addresses = await assignPorts(names, options.ports);
  const { inspect = [] } = options;
  const inspectors = await assignInspectors(inspect, {
    taken: [...addresses.values()],
    anyPort: options.ports === "free",
    oneProcess,
  });
  const giveUp = new AbortController();
  const signal = AbortSignal.any([giveUp.signal, ...(options.signal ? [options.signal] : [])]);
  signal.throwIfAborted();

  const services = {
    rabbit: startService("RabbitMQ", startRabbitMq, options, signal),
    mongo: startService("MongoDB", startMongoDb, options, signal),
  };
  const processes = new Map<string, FunctionProcess>();
  let live: LiveServer | undefined;
  const run = async (unit: Unit, live: LiveServer) => {
    const { name } = unit;
    const urls = await urlsFor(unit.functions, services);
    signal.throwIfAborted();
    const { env = process.env, cacheDir = join(options.dataDir, "cache"), spansTo } = options;
    const pausable = inspect.length > 0;
    const given = { env, cacheDir, oneProcess, addresses, canary, urls, spansTo, pausable };
    const made = envOf(unit, { ...given, origin: live.origin });
    const wanted = (await options.envOf?.(name, made)) ?? made;
    signal.throwIfAborted();
    const started = createProcess(unit, { options, inspectors, env: wanted, live });
    for (const one of oneProcess ? unit.functions : [unit]) processes.set(one.name, started);
    await started.start();
    await untilReady(started, signal, (why) => progress?.say("functions", `${name}: ${why}`));
    progress?.say("functions", `${name} is ready`);
  };

  const starting: Promise<void>[] = [];
  try {
    const { env = process.env } = options;
    const control = !oneProcess;
    live = await startLiveServer({ functions, addresses, processes, canary, control, env, report });
    services.rabbit.then(
      ({ url }) => live?.watchQueues(url),
      () => {},
    );
    for (const unit of unitsOf(functions, { addresses, canary, oneProcess })) {
      starting.push(run(unit, live));
    }
    await Promise.race([Promise.all(starting), abortOf(signal)]);
    const [rabbit, mongo] = await Promise.all([services.rabbit, services.mongo]);
    progress?.done("functions", `${functions.length} functions`);
    return createGraph({ functions, addresses, processes, canary, live, rabbit, mongo }, report);
  } catch (error) {
    giveUp.abort(error);
    await Promise.allSettled([...processes.values()].map((process) => process.stop()));
    // Only now: one that still waits for a service sees the signal and creates no process.
    await Promise.allSettled(starting);
    await live?.close();
    const begun = await Promise.allSettled([services.rabbit, services.mongo]);
    await Promise.all(begun.map((one) => one.status === "fulfilled" && one.value.stop()));
    throw error;
  }
}

function startService(
  part: Part,
  start: (options: ServiceOptions) => Promise<RunningService>,
  options: GraphOptions,
  signal: AbortSignal,
): Promise<RunningService> {
  const { dataDir, cacheDir, env = process.env, progress } = options;
  const service = start({
    dataDir,
    ...(cacheDir && { cacheDir }),
    env,
    private: options.private ?? false,
    report: (line) => progress?.say(part, line),
    signal,
  });
  service.then(
    ({ origin }) => progress?.done(part, origin),
    () => {}, // its failure is met where it is awaited, which may be later
  );
  return service;
}

function unitsOf(
  functions: readonly Deployable[],
  given: {
    addresses: ReadonlyMap<string, number>;
    canary: Canary | undefined;
    oneProcess: boolean;
  },
): Unit[] {
  const { addresses, canary, oneProcess } = given;
  const unit = (name: string, functions: readonly Deployable[], isCanary = false): Unit => {
    const names = isCanary ? [name] : functions.map((one) => one.name);
    return { name, functions, ports: names.map((one) => addresses.get(one) ?? 0), isCanary };
  };
  if (oneProcess) return [unit("the functions' process", functions)];
  const second = canary && { name: canary.of, definition: canary.definition };
  return [
    ...functions.map((one) => unit(one.name, [one])),
    ...(second ? [unit(canary.name, [second], true)] : []),
  ];
}

function createProcess(
  { name, functions, ports, isCanary }: Unit,
  given: {
    options: GraphOptions;
    inspectors: ReadonlyMap<string, number>;
    env: NodeJS.ProcessEnv;
    live: LiveServer;
  },
): FunctionProcess {
  const { options, inspectors, env, live } = given;
  const { onImport, canary } = options;
  return new FunctionProcess({
    name,
    ports,
    entry: options.oneProcess ? oneProcessEntry : (options.entryOf?.(name) ?? entry),
    preloads: [
      ...(canary && isCanary ? [`${canaryPreload}?${queryOf(canary)}`] : []),
      ...(onImport ? [reportImports] : []),
    ],
    // A canary has the name of its function, whose debugger is not for it.
    inspectPort: isCanary
      ? undefined
      : functions.map((one) => inspectors.get(one.name)).find(Boolean),
    env,
    onMessage: (message) => onImport?.(name, String(message)),
    logs(written) {
      const line = canary && isCanary ? asLineOf(canary, written) : written;
      live.log(line);
      options.logs?.(line);
    },
    report: options.report ?? (() => {}),
  });
}

function queryOf({ of, folder }: Canary): URLSearchParams {
  return new URLSearchParams({ of, folder });
}

/** The function itself does not know that it is a canary, and logs by its own name. */
function asLineOf({ of, name }: Canary, line: string): string {
  return line.replace(`"service":"${of}"`, `"service":"${name}"`);
}

function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
