/** The system that faults happen to: the real graph on a broker and a database of its own, as bundles like the images'. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "esbuild";
import { addressVariable } from "#host/base/config";
import { bundle } from "../bundle.ts";
import { functionNames } from "../local/discover.ts";
import { FunctionProcess } from "../local/function-process.ts";
import { type Graph, untilReady } from "../local/graph.ts";
import { startGraph } from "../local/launcher.ts";
import { freePort } from "../local/ports.ts";
import { stopLeftovers } from "../local/services/down.ts";
import { startMongoDb } from "../local/services/mongodb.ts";
import { startRabbitMq } from "../local/services/rabbitmq.ts";
import type { RunningService, ServiceOptions } from "../local/services/service.ts";
import { testOptions } from "../local/services/testing.ts";
import { smallHeap } from "../local/small-heap.ts";
import { mountSmallDisks, type SmallDisks } from "./disks.ts";
import { createLedger } from "./ledger.ts";
import { openProxy, type TcpProxy } from "./proxy.ts";
import { openStores } from "./stores.ts";
import type { System } from "./system.ts";

/** A backing service that can be killed and come back, on the same port and with its data. */
export interface Backing {
  readonly url: string;
  readonly pid: number | undefined;
  kill(): Promise<void>;
  /** Settles when it answers. */
  start(): Promise<void>;
}

export interface Lab extends System {
  readonly graph: Graph;
  readonly broker: Backing;
  readonly database: Backing;
  /** Undefined where none can be mounted. */
  readonly disks: SmallDisks | undefined;
  /** The proxy in an edge: "service-d>rabbitmq". */
  proxy(edge: string): TcpProxy;
  /** Moves the clock of a function. */
  moveClock(name: string, ms: number): Promise<void>;
  /** All processes of a function: two in a pair. */
  processesOf(name: string): readonly FunctionProcess[];
  /** The last lines that functions and services have said. */
  readonly said: readonly string[];
}

/** The edges with a proxy in them: one of each kind. The others are direct, as the faults of processes need it. */
const proxied: Readonly<Record<string, readonly string[]>> = {
  "service-b": ["service-d", "service-e"],
  "service-c": ["mongodb"],
  "service-d": ["rabbitmq"],
  "service-f": ["mongodb"],
  bridge: ["rabbitmq", "service-f"],
};

const source = fileURLToPath(new URL("../host/main.ts", import.meta.url));
/** What Node takes of itself in a container of 256 MiB: on a machine with much memory it would hardly collect any. */
const containerHeap = `${smallHeap} --max-old-space-size=96`;
const clockModule = new URL("move-clock.ts", import.meta.url).href;

export interface LabOptions {
  /** Two instances of each function, each callee behind a balancer, as the gateway is. */
  pair?: boolean;
  /** Edges without proxies, for a load that is measured. */
  direct?: boolean;
  /** Changes to the source, for a build that is broken on purpose. */
  plugins?: readonly Plugin[];
  /** The functions that run as bundles; the others run from their source. All, unless it is given. */
  built?: readonly string[];
  smallDisks?: boolean;
  env?: NodeJS.ProcessEnv;
  report(line: string): void;
}

export async function startLab(options: LabOptions): Promise<Lab> {
  const data = await testOptions({ NODE_ENV: "production", LOG_LEVEL: "warn", ...options.env });
  const { dataDir } = data.options;
  const cleanups: (() => unknown)[] = [() => data[Symbol.asyncDispose]()];
  const dispose = async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean();
  };
  try {
    const disks = options.smallDisks ? mountSmallDisks(dataDir) : undefined;
    cleanups.push(async () => {
      await stopLeftovers({ dataDir, report: () => {} });
      disks?.unmount();
    });
    const built = options.built ?? functionNames();
    if (built.length > 0) options.report(`building ${built.join(", ")}`);
    const folder = join(dataDir, "built");
    // One after the other: side by side they would only get in each other's way on two cores.
    for (const name of built) await bundle(name, join(folder, name), options.plugins);

    const entryOf = (name: string) =>
      built.includes(name) ? join(folder, name, "main.js") : source;
    const proxies = new Map<string, TcpProxy>();
    const balanced = options.pair ? await balance(proxies) : undefined;
    const environments = new Map<string, NodeJS.ProcessEnv>();
    const clockFile = (name: string) => join(dataDir, "clocks", name);
    await mkdir(join(dataDir, "clocks"));
    const proxyTo = async (edge: string, port: number) => {
      const proxy = await openProxy([port]);
      proxies.set(edge, proxy);
      cleanups.push(() => proxy[Symbol.asyncDispose]());
      return `127.0.0.1:${proxy.port}`;
    };
    const envOf = async (name: string, env: NodeJS.ProcessEnv) => {
      const own: NodeJS.ProcessEnv = {
        ...env,
        NODE_OPTIONS: `${containerHeap} --import=${clockModule}`,
        CLOCK_FILE: clockFile(name),
        ...(balanced && Object.fromEntries(balanced.addresses)),
      };
      for (const callee of options.direct || options.pair ? [] : (proxied[name] ?? [])) {
        const variable = { mongodb: "MONGODB_URL", rabbitmq: "RABBITMQ_URL" }[callee];
        if (variable) {
          const url = new URL(own[variable] ?? "");
          url.host = await proxyTo(`${name}>${callee}`, Number(url.port));
          own[variable] = url.href;
        } else {
          const [, port] = (own[addressVariable(callee)] ?? "").split(":");
          own[addressVariable(callee)] = await proxyTo(`${name}>${callee}`, Number(port));
        }
      }
      environments.set(name, own);
      return own;
    };

    const said: string[] = [];
    const say = (line: string) => void (said.push(line) > 400 && said.shift());
    options.report("starting the system");
    const graph = await startGraph({
      ...data.options,
      env: { ...data.options.env, OTEL_SDK_DISABLED: "true" },
      ports: "free",
      entryOf,
      envOf,
      logs: say,
      report: say,
    });
    cleanups.push(() => graph.stop());
    const seconds = new Map<string, FunctionProcess>();
    if (balanced) {
      for (const [name, port] of balanced.seconds) {
        const process = new FunctionProcess({
          name: `${name} (2)`,
          entry: entryOf(name),
          env: { ...environments.get(name), PORT: String(port) },
          ports: [port],
          logs: say,
          report: say,
        });
        await process.start();
        await untilReady(process);
        seconds.set(name, process);
      }
      cleanups.push(() => Promise.all([...seconds.values()].map((one) => one.stop())));
      await balanced.open(graph.addresses);
      cleanups.push(balanced.close);
    }
    const stores = openStores({ mongo: graph.mongo.url, rabbit: graph.rabbit.url });
    cleanups.push(() => stores[Symbol.asyncDispose]());
    const port = balanced?.gateway ?? graph.addresses.get("gateway");
    return {
      address: new URL(`http://127.0.0.1:${port}`),
      graph,
      ledger: createLedger(),
      stores,
      disks,
      said,
      broker: backing(graph.rabbit, startRabbitMq, data.options),
      database: backing(graph.mongo, startMongoDb, data.options),
      proxy(edge) {
        const proxy = proxies.get(edge);
        if (proxy) return proxy;
        throw new Error(`no proxy is in ${edge}, but in ${[...proxies.keys()].join(", ")}`);
      },
      moveClock: (name, ms) => writeFile(clockFile(name), String(ms)),
      processesOf(name) {
        const second = seconds.get(name);
        return [graph.function(name), ...(second ? [second] : [])];
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** A balancer for each function, and a port for the second instance of each. */
async function balance(proxies: Map<string, TcpProxy>) {
  const fronts = new Map<string, number>();
  const seconds = new Map<string, number>();
  for (const name of functionNames()) {
    fronts.set(name, await freePort());
    if (name !== "ui") seconds.set(name, await freePort());
  }
  return {
    seconds,
    gateway: fronts.get("gateway"),
    addresses: [...fronts].map(([name, port]) => [addressVariable(name), `127.0.0.1:${port}`]),
    async open(firsts: ReadonlyMap<string, number>) {
      for (const [name, port] of fronts) {
        const targets = [firsts.get(name), seconds.get(name)].filter((one) => one !== undefined);
        proxies.set(name, await openProxy(targets, port));
      }
    },
    async close() {
      for (const name of fronts.keys()) await proxies.get(name)?.[Symbol.asyncDispose]();
    },
  };
}

function backing(
  first: RunningService,
  start: (options: ServiceOptions) => Promise<RunningService>,
  options: ServiceOptions,
): Backing {
  let service = first;
  return {
    url: first.url,
    get pid() {
      return service.pid;
    },
    async kill() {
      await service.kill?.();
    },
    async start() {
      service = await start(options);
    },
  };
}
