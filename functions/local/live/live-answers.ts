import { setTimeout as delay } from "node:timers/promises";
import type { RouteAnswer } from "#host/base/answer";
import { HostError } from "#host/base/errors";
import { createEventStream, type EventStream, eventStreamHeaders } from "../../ui/event-stream.ts";
import type { GraphFeed } from "../../ui/graph-feed.ts";
import type { LiveGraph } from "../../ui/live.ts";
import type { LiveName } from "../../ui/live-contract.ts";
import type { FunctionProcess } from "../function-process.ts";
import type { createDeadLetterAnswers } from "./dead-letter-answers.ts";
import type { LogTail } from "./log-tail.ts";
import type { SpanRing } from "./span-ring.ts";
import { traceOf, tracesOf } from "./traces.ts";

export interface LiveRequest {
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/** An answer to every path of the live contract. */
export type LiveAnswers = Readonly<
  Record<LiveName, (request: LiveRequest) => RouteAnswer | Promise<RouteAnswer>>
>;

export interface LiveRoutesOptions {
  take(): Promise<LiveGraph>;
  feed: GraphFeed;
  ring: SpanRing;
  tail: LogTail;
  control: boolean;
  /** Undefined where there is none, and once nothing is to be started any more. */
  processOf(name: string): FunctionProcess | undefined;
  deadLetters: ReturnType<typeof createDeadLetterAnswers>;
  report(line: string): void;
}

const defaultTraces = 20;
const mostTraces = 100;

/** Some batches of an exporter long. */
const traceLimitMs = 1_500;

/** What `ui` passes on to the page. */
export function createLiveAnswers(options: LiveRoutesOptions): {
  answers: LiveAnswers;
  /** Ends the logs that are followed. */
  end(): void;
} {
  const { take, feed, ring, tail, control, processOf, deadLetters, report } = options;
  const streams = new Set<EventStream>();

  const controlled = (name: string): FunctionProcess => {
    const process = control ? processOf(name) : undefined;
    if (!process) throw new HostError("ERR_NOT_FOUND", `there is no function ${name} to control`);
    // The page that asks is its own.
    if (name === "ui") throw new HostError("ERR_BAD_REQUEST", "ui serves this page");
    return process;
  };
  const act =
    (what: "stop" | "start") =>
    ({ parameters: { name = "" } }: LiveRequest): RouteAnswer => {
      const process = controlled(name);
      // Not awaited: a drain may take seconds, and the graph shows how far it is.
      process[what]().then(
        () => report(`${name}: ${what} from the page`),
        (error: Error) => report(error.message),
      );
      return { status: 202 };
    };

  const answers: LiveAnswers = {
    graph: async () => ({ body: await take() }),
    events: () => ({ headers: eventStreamHeaders, body: feed.open() }),
    traces({ query }) {
      const traces = tracesOf(ring, {
        node: query.get("node") ?? undefined,
        edge: edgeIn(query),
        limit: limitIn(query),
      });
      return { body: { traces } };
    },
    async trace({ parameters: { traceId = "" } }) {
      const trace = await soon(() => traceOf(ring, traceId));
      if (trace) return { body: trace };
      throw new HostError("ERR_NOT_FOUND", `there is no trace ${traceId}, or not any more`);
    },
    deadLetters: deadLetters.list,
    retryDeadLetters: deadLetters.retry,
    stop: act("stop"),
    start: act("start"),
    logs({ parameters: { name = "" } }) {
      if (!processOf(name)) throw new HostError("ERR_NOT_FOUND", `there is no function ${name}`);
      const stream = createEventStream(() => {
        unfollow();
        streams.delete(stream);
      });
      streams.add(stream);
      for (const line of tail.last(name)) stream.send("log", line);
      const unfollow = tail.follow(name, (line) => stream.send("log", line));
      return { headers: eventStreamHeaders, body: stream.body };
    },
  };
  return {
    answers,
    end() {
      for (const stream of streams) stream.end();
    },
  };
}

/** A client that has just got its answer asks for the trace, whose spans come a moment later. */
async function soon<T>(look: () => T | undefined): Promise<T | undefined> {
  const end = performance.now() + traceLimitMs;
  let found = look();
  while (found === undefined && performance.now() < end) {
    await delay(50);
    found = look();
  }
  return found;
}

function edgeIn(query: URLSearchParams): { from: string; to: string } | undefined {
  const edge = query.get("edge");
  if (edge === null) return undefined;
  const [from, to, ...more] = edge.split(">");
  if (from && to && more.length === 0) return { from, to };
  throw new HostError("ERR_BAD_REQUEST", `edge=${edge}: FROM>TO is expected`);
}

function limitIn(query: URLSearchParams): number {
  const text = query.get("limit") ?? String(defaultTraces);
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= mostTraces) return limit;
  throw new HostError("ERR_BAD_REQUEST", `limit=${text}: 1 to ${mostTraces} is expected`);
}
