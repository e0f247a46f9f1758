/**
 * A closed loop of clients in a process of its own: each asks again when it has its answer, by a connection that is
 * kept. Every answer is read and judged.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { type Expected, judgeAs } from "./answers.ts";
import { openConnection } from "./connection.ts";
import { quantile } from "./statistics.ts";

export interface LoadOptions {
  readonly url: string;
  readonly expected: Expected;
  readonly concurrency: number;
  /** How long new requests are made; or how many, where that is given. */
  readonly seconds: number;
  readonly requests?: number;
}

export interface LoadResult {
  readonly right: number;
  readonly wrong: number;
  /** What was wrong with the first wrong one. */
  readonly firstWrong?: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Share of one core that the clients took. */
  readonly clientCpu: number;
}

export interface LoadGenerator extends AsyncDisposable {
  run(options: LoadOptions): Promise<LoadResult>;
}

/** Clients wait longer than any deadline in the graph. */
const patienceMs = 15_000;

export function startLoadGenerator(): LoadGenerator {
  const child = fork(import.meta.filename, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const closed = once(child, "close");
  return {
    async run(options) {
      child.send(options);
      const [result]: (LoadResult | number)[] = await Promise.race([
        once(child, "message"),
        closed,
      ]);
      if (typeof result !== "object" || result === null)
        throw new Error("the load generator ended");
      return result;
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await closed;
    },
  };
}

/** The same in this process. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { url, expected, concurrency, seconds, requests = Number.POSITIVE_INFINITY } = options;
  const took: number[] = [];
  let wrong = 0;
  let firstWrong: string | undefined;
  let begun = 0;
  const cpu = process.cpuUsage();
  const since = performance.now();
  const end = requests === Number.POSITIVE_INFINITY ? since + seconds * 1_000 : requests;
  const more =
    requests === Number.POSITIVE_INFINITY ? performance.now.bind(performance) : () => begun;
  const client = async () => {
    using connection = openConnection(new URL(url), patienceMs);
    while (more() < end) {
      begun++;
      const sentAt = performance.now();
      const problem = await connection.ask().then(
        (answer) => judgeAs(expected, answer),
        (error: Error) => error.message,
      );
      if (problem === undefined) took.push(performance.now() - sentAt);
      else {
        wrong++;
        firstWrong ??= problem;
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, client));
  const lastedMs = performance.now() - since;
  const { user, system } = process.cpuUsage(cpu);
  took.sort((a, b) => a - b);
  return {
    right: took.length,
    wrong,
    ...(firstWrong !== undefined && { firstWrong }),
    perSecond: (took.length / lastedMs) * 1_000,
    p50Ms: quantile(took, 0.5),
    p99Ms: quantile(took, 0.99),
    clientCpu: (user + system) / 1_000 / lastedMs,
  };
}

if (process.argv[1] === import.meta.filename) {
  process.on("message", async (options: LoadOptions) => process.send?.(await runLoad(options)));
  process.once("disconnect", () => process.exit());
}
