import { setTimeout as wait } from "node:timers/promises";
import type { Canary } from "./canary/canary.ts";
import type { Deployable } from "./discover.ts";
import type { FunctionProcess } from "./function-process.ts";
import type { LiveServer } from "./live/live-server.ts";
import { whyNotReady } from "./probe.ts";
import type { RunningService } from "./services/service.ts";
import { stopOrder } from "./stop-order.ts";

/** The whole graph as it runs on this machine. */
export interface Graph extends AsyncDisposable {
  readonly functions: readonly Deployable[];
  /** Its process is found by its name, like a function's. */
  readonly canary: Canary | undefined;
  /** The port of each function on 127.0.0.1. */
  readonly addresses: ReadonlyMap<string, number>;
  readonly rabbit: RunningService;
  readonly mongo: RunningService;
  /** Where its spans go, and what the page asks. */
  readonly live: LiveServer;
  /** The process that runs this function, to stop, kill and start it. */
  function(name: string): FunctionProcess;
  /** Settles when every function says that it is ready. */
  ready(signal?: AbortSignal): Promise<void>;
  /** Stops all that was started: the functions in order, then the services. Idempotent. */
  stop(): Promise<void>;
  /** Ends all of it at once. */
  kill(): Promise<void>;
}

export interface GraphParts {
  functions: readonly Deployable[];
  addresses: ReadonlyMap<string, number>;
  /** By function; all the same process when there is only one. */
  processes: ReadonlyMap<string, FunctionProcess>;
  canary: Canary | undefined;
  rabbit: RunningService;
  mongo: RunningService;
  live: LiveServer;
}

export function createGraph(parts: GraphParts, report: (line: string) => void): Graph {
  const { functions, addresses, processes, canary, rabbit, mongo, live } = parts;
  const find = (name: string) => {
    const process = processes.get(name);
    if (process) return process;
    throw new Error(`no function is named ${name}, but ${[...processes.keys()].join(", ")}`);
  };
  const owned = [rabbit, mongo].filter((service) => service.owned);

  const stopAll = async () => {
    live.drain();
    await Promise.all([...processes.values()].map((process) => process.endPause()));
    for (const step of stopOrder(functions)) {
      const names = step.flatMap((name) => (name === canary?.of ? [name, canary.name] : [name]));
      const group = [...new Set(names.map(find))].filter(({ stopped }) => !stopped);
      if (group.length === 0) continue;
      await Promise.all(group.map((process) => process.stop()));
      report(`stopped ${group.map(({ name }) => name).join(", ")}`);
    }
    // Not before the functions: with their last breath they send their last spans.
    await live.close();
    await Promise.all(
      owned.map(async (service) => {
        await service.stop();
        report(`stopped ${service.name}`);
      }),
    );
  };
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= stopAll();
    return stopping;
  };
  return {
    functions,
    canary,
    addresses,
    rabbit,
    mongo,
    live,
    function: find,
    stop,
    [Symbol.asyncDispose]: stop,
    async ready(signal) {
      await Promise.all([...processes.values()].map((process) => untilReady(process, signal)));
    },
    async kill() {
      await Promise.allSettled([...processes.values()].map((process) => process.kill()));
      await Promise.allSettled([live.close(), ...owned.map((service) => service.kill?.())]);
    },
  };
}

/** A function is not ready at once: only what lasts longer than this is reported. */
const patienceMs = 2_000;

/** Waits until the process is ready for all its functions; reports why it is not. */
export async function untilReady(
  process: FunctionProcess,
  signal?: AbortSignal,
  report: (why: string) => void = () => {},
): Promise<void> {
  const since = performance.now();
  for (const port of process.ports) {
    let reported: string | undefined;
    for (let why = await whyNotReady(port); why !== undefined; why = await whyNotReady(port)) {
      if (signal?.aborted)
        throw new Error(`${process.name} is not ready: ${why}`, { cause: signal.reason });
      if (why !== reported && performance.now() - since > patienceMs) {
        report(why);
        reported = why;
      }
      await wait(100);
    }
  }
}
