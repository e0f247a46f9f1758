/** A steady load: requests start at their time, however many others still wait for their answer. */
import { request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { keyHeader } from "#host/call/key";
import { judge, type Verdict } from "./answer.ts";

/** One request, from the side of its client. Times are Date.now(). */
export interface Asked {
  readonly id: string;
  readonly sentAt: number;
  readonly doneAt: number;
  readonly verdict: Verdict;
}

export interface Load {
  readonly done: readonly Asked[];
  /** When the oldest request was sent that has no answer yet. */
  oldestPending(): number | undefined;
  /** Sends no more, and settles when all have their answer. */
  stop(): Promise<void>;
}

/** A client that waits longer than any deadline in the graph: no answer until then is a wrong one. */
const usualPatienceMs = 15_000;
let requests = 0;

export function startLoad(address: URL, perSecond: number, patienceMs = usualPatienceMs): Load {
  const done: Asked[] = [];
  const pending = new Map<Promise<void>, number>();
  const stopping = new AbortController();

  const ask = async () => {
    const id = `chaos-${process.pid}-${++requests}`;
    const sentAt = Date.now();
    const verdict = await send(address, id, patienceMs);
    done.push({ id, sentAt, doneAt: Date.now(), verdict });
  };
  const run = async () => {
    const since = performance.now();
    for (let n = 0; !stopping.signal.aborted; n++) {
      const sentAt = Date.now();
      const work: Promise<void> = ask().finally(() => pending.delete(work));
      pending.set(work, sentAt);
      const next = since + ((n + 1) * 1_000) / perSecond - performance.now();
      if (next > 0) await wait(next, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  const running = run();
  return {
    done,
    oldestPending: () => (pending.size === 0 ? undefined : Math.min(...pending.values())),
    async stop() {
      stopping.abort();
      await running;
      await Promise.all(pending.keys());
    },
  };
}

function send(address: URL, id: string, patienceMs: number): Promise<Verdict> {
  const { promise, resolve } = Promise.withResolvers<Verdict>();
  // A connection of its own, as of a client that comes once.
  const outgoing = request(new URL("/api/greeting", address), {
    agent: false,
    headers: { "x-request-id": id, [keyHeader]: id },
  });
  const limit = setTimeout(() => {
    resolve({ kind: "wrong", detail: `no answer within ${patienceMs / 1_000} s` });
    outgoing.destroy();
  }, patienceMs);
  const cut = (error: Error) => resolve({ kind: "cut", detail: error.message });
  outgoing.once("error", cut);
  outgoing.once("response", async (incoming) => {
    try {
      const text = Buffer.concat(await incoming.toArray()).toString();
      const { statusCode: status = 0, headers } = incoming;
      resolve(judge({ status, type: headers["content-type"], text }));
    } catch (error) {
      cut(error as Error);
    }
  });
  outgoing.end();
  return promise.finally(() => clearTimeout(limit));
}
