/**
 * One function behind one port that stays open while its code is replaced.
 *
 * I1 This process holds the port (node:cluster), and the function is its worker: no connection is refused while one
 *    worker follows another.
 * I2 A worker answers until the next one listens, and drains then. One that does not start changes nothing.
 * I3 The last save counts: a worker that is still starting when another save comes is killed.
 */
import cluster, { type Worker } from "node:cluster";
import { backoff } from "#host/base/backoff";

export interface InPlaceOptions {
  /** The file that a worker runs; it listens on one port. */
  readonly entry: string;
  /** Gets what a person should know. */
  report(line: string): void;
  /** Gets the exit code of a first start that failed: there is no older code to fall back to. */
  failed(exitCode: number): void;
}

export interface InPlace {
  /** Starts the function anew from its files. `why` ends the line that is reported. */
  restart(why: string): void;
  /** Drains the function. Settles when no worker is left. */
  stop(): Promise<void>;
}

const restarts = { firstMs: 500, longestMs: 10_000 };
/** The host drains for 10 s at most: a worker that is there after this long hangs. */
const stopLimitMs = 12_000;

export function startInPlace({ entry, report, failed }: InPlaceOptions): InPlace {
  let serving: Worker | undefined;
  let starting: Worker | undefined;
  let hasServed = false;
  let stopping = false;
  let crashes = 0;
  let again: NodeJS.Timeout | undefined;
  // Workers accept by themselves. One that is handed a connection just as it ends would take that with it.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec: entry, args: [] });

  const start = (why: string) => {
    if (stopping) return;
    clearTimeout(again);
    starting?.process.kill("SIGKILL");
    const since = performance.now();
    const worker = cluster.fork();
    starting = worker;
    // A connection that was on its way to a worker that has just ended: its exit is what counts.
    worker.on("error", () => {});
    worker.once("listening", () => {
      if (starting !== worker) return;
      const old = serving;
      serving = worker;
      starting = undefined;
      if (hasServed) report(`restarted in ${Math.round(performance.now() - since)} ms: ${why}`);
      hasServed = true;
      if (old) void end(old);
    });
    worker.once("exit", (code, signal) => ended(worker, signal ?? `exit code ${code}`, code));
  };

  const ended = (worker: Worker, how: string, code: number | null) => {
    const wasServing = worker === serving;
    if (wasServing) serving = undefined;
    else if (worker === starting) starting = undefined;
    else return;
    if (stopping) return;
    if (!hasServed) return failed(code ?? 1);
    if (serving) {
      return report(`did not start (${how}): the code before this save still answers, save again`);
    }
    if (starting) return;
    const pauseMs = backoff(++crashes, restarts);
    const what = wasServing ? "ended by itself" : "did not start";
    report(`${what} (${how}): started again in ${pauseMs} ms, or when a file is saved`);
    again = setTimeout(() => start("it had ended"), pauseMs);
  };

  const saved = (why: string) => {
    crashes = 0;
    start(why);
  };
  start("");
  return {
    restart: saved,
    async stop() {
      stopping = true;
      clearTimeout(again);
      starting?.process.kill("SIGKILL");
      const workers = Object.values(cluster.workers ?? {}).filter((one) => one !== undefined);
      await Promise.all(workers.map(end));
    },
  };
}

/** SIGTERM, and SIGKILL to what hangs. */
async function end(worker: Worker): Promise<void> {
  if (worker.isDead()) return;
  const limit = setTimeout(() => worker.process.kill("SIGKILL"), stopLimitMs);
  worker.process.kill("SIGTERM");
  await new Promise((resolve) => worker.once("exit", resolve));
  clearTimeout(limit);
}
