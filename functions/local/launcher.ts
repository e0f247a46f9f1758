import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { addressVariable } from "#host/base/config";
import { assignPorts, type Ports } from "./addresses.ts";
import { type Deployable, loadFunctions } from "./discover.ts";
import { FunctionProcess } from "./function-process.ts";
import { createGraph, type Graph, untilReady } from "./graph.ts";
import { assignInspectors, pausableEnv } from "./inspect.ts";
import { liveEnv } from "./live/live-env.ts";
import { type LiveServer, startLiveServer } from "./live/live-server.ts";
import { startMongoDb } from "./services/mongodb.ts";
import { startRabbitMq } from "./services/rabbitmq.ts";
import type { RunningService, ServiceOptions } from "./services/service.ts";
import { oldHeap, smallHeap } from "./small-heap.ts";

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
const reportImports = new URL("report-imports.ts", import.meta.url).href;

/**
 * Starts the whole graph on this machine: RabbitMQ, MongoDB, and each function as soon as what it
 * needs is there. Settles when all are ready; a start that fails or is aborted leaves nothing behind.
 */
export async function startGraph(options: GraphOptions): Promise<Graph> {
  const { progress, report = () => {} } = options;
  // Before anything is started: a declaration that is wrong ends it here.
  const functions = await loadFunctions();
  const addresses = await assignPorts(
    functions.map(({ name }) => name),
    options.ports,
  );
  const inspectors = await assignInspectors(options.inspect ?? [], {
    taken: [...addresses.values()],
    anyPort: options.ports === "free",
    oneProcess: options.oneProcess ?? false,
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
  const run = async (name: string, functions: readonly Deployable[], live: LiveServer) => {
    const urls = await urlsFor(functions, services);
    signal.throwIfAborted();
    const made = envOf(functions, { options, addresses, urls, live });
    const env = (await options.envOf?.(name, made)) ?? made;
    signal.throwIfAborted();
    const process = createProcess(name, functions, { options, addresses, inspectors, env, live });
    for (const one of functions) processes.set(one.name, process);
    await process.start();
    await untilReady(process, signal, (why) => progress?.say("functions", `${name}: ${why}`));
    progress?.say("functions", `${name} is ready`);
  };

  const starting: Promise<void>[] = [];
  try {
    const { env = process.env } = options;
    const control = !options.oneProcess;
    live = await startLiveServer({ functions, addresses, processes, control, env, report });
    services.rabbit.then(
      ({ url }) => live?.watchQueues(url),
      () => {},
    );
    if (options.oneProcess) starting.push(run("the functions' process", functions, live));
    else for (const one of functions) starting.push(run(one.name, [one], live));
    await Promise.race([Promise.all(starting), abortOf(signal)]);
    const [rabbit, mongo] = await Promise.all([services.rabbit, services.mongo]);
    progress?.done("functions", `${functions.length} functions`);
    return createGraph({ functions, addresses, processes, live, rabbit, mongo }, report);
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

/** The services' addresses that these functions need, waiting for no others. */
async function urlsFor(
  functions: readonly Deployable[],
  services: { rabbit: Promise<RunningService>; mongo: Promise<RunningService> },
): Promise<NodeJS.ProcessEnv> {
  // What a function without a definition uses is not known.
  const some = (test: (definition: NonNullable<Deployable["definition"]>) => boolean) =>
    functions.some(({ definition }) => definition === undefined || test(definition));
  const uses = (system: "rabbitmq" | "mongodb") =>
    some(({ effects }) => effects.some((effect) => effect.system === system));
  const usesRabbit = uses("rabbitmq") || some(({ kind }) => kind === "bridge");
  return {
    ...(usesRabbit && { RABBITMQ_URL: (await services.rabbit).url }),
    ...(uses("mongodb") && { MONGODB_URL: (await services.mongo).url }),
  };
}

function envOf(
  functions: readonly Deployable[],
  given: {
    options: GraphOptions;
    addresses: ReadonlyMap<string, number>;
    urls: NodeJS.ProcessEnv;
    live: LiveServer;
  },
): NodeJS.ProcessEnv {
  const { options, addresses, urls, live } = given;
  const { env = process.env, cacheDir = join(options.dataDir, "cache"), spansTo } = options;
  const callees = [...addresses].map(([callee, port]) => [
    addressVariable(callee),
    `127.0.0.1:${port}`,
  ]);
  const { origin } = live;
  const names = functions.map((one) => one.name);
  return {
    // Compiled code is kept between starts: without it most of a start is stripping types.
    NODE_COMPILE_CACHE: join(cacheDir, "compile"),
    ...env,
    ...(options.inspect?.length && pausableEnv(env)),
    // Many functions in one process need what many processes have.
    ...(!options.oneProcess && {
      NODE_OPTIONS: [smallHeap, oldHeap, env.NODE_OPTIONS].filter(Boolean).join(" "),
    }),
    ...liveEnv(names, { env, origin, addresses, control: !options.oneProcess }),
    ...(spansTo && { OTEL_EXPORTER_OTLP_ENDPOINT: spansTo, OTEL_BSP_SCHEDULE_DELAY: undefined }),
    ...urls,
    ...Object.fromEntries(callees),
    FUNCTION_TARGET: functions[0]?.name,
    PORT: String(addresses.get(functions[0]?.name ?? "") ?? 0),
    HOST: "127.0.0.1",
  };
}

function createProcess(
  name: string,
  functions: readonly Deployable[],
  given: {
    options: GraphOptions;
    addresses: ReadonlyMap<string, number>;
    inspectors: ReadonlyMap<string, number>;
    env: NodeJS.ProcessEnv;
    live: LiveServer;
  },
): FunctionProcess {
  const { options, addresses, inspectors, env, live } = given;
  const { onImport } = options;
  return new FunctionProcess({
    name,
    ports: functions.map((one) => addresses.get(one.name) ?? 0),
    entry: options.oneProcess ? oneProcessEntry : (options.entryOf?.(name) ?? entry),
    preload: onImport && reportImports,
    inspectPort: functions.map((one) => inspectors.get(one.name)).find(Boolean),
    env,
    onMessage: (message) => onImport?.(name, String(message)),
    logs(line) {
      live.log(line);
      options.logs?.(line);
    },
    report: options.report ?? (() => {}),
  });
}

function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
