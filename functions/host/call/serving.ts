/**
 * The one road of a request, whatever its protocol: its place in the trace and in the log, what it asks for,
 * its work within its deadline, its error, its end.
 */
import { randomUUID } from "node:crypto";
import type { Attributes } from "@opentelemetry/api";
import type { Config } from "../base/config.ts";
import { HostError } from "../base/errors.ts";
import type { PropagatedHeaders } from "../base/headers.ts";
import { bindingsOf, type Logger, logOf } from "../telemetry/logger.ts";
import { placeInTrace } from "../telemetry/trace-context.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import type { Admission } from "./admission.ts";
import { createCall, type RunningCall } from "./call.ts";
import type { Ending } from "./ending.ts";
import { retrySoon } from "./guard.ts";

/** A request as it came in, in the terms of no protocol. */
export interface Incoming {
  readonly protocol: "http" | "grpc";
  /** The operation's, until the route is known. */
  readonly name: string;
  readonly attributes: Attributes;
  /** By performance.now(). */
  readonly startedAt: number;
  /** The CloudEvent that it brings, whose headers win over the request's. */
  readonly event?: { readonly key: string; readonly headers: PropagatedHeaders } | undefined;
}

export interface Served {
  readonly call: RunningCall;
  /**
   * Lets the request's faults happen, then does the work. Settles by the call's deadline at the latest,
   * whatever the work does.
   */
  run<T>(work: (call: RunningCall) => Promise<T>): Promise<T>;
  /** What the work threw, as the error to answer with. An unexpected one is logged, with its stack. */
  fail(thrown: unknown): HostError;
  /** Ends the call and its operation, and logs the access line. Idempotent. */
  end(answer: ServedAnswer): void;
}

export interface ServedAnswer {
  /** For people: "GET /api/greeting 200". */
  readonly summary: string;
  readonly route: string | undefined;
  /** The HTTP or gRPC status. */
  readonly status: number;
  readonly bytes: number;
  readonly attributes: Attributes;
}

export interface Serving {
  /** Settles when the first request is answered. */
  readonly first: Promise<void>;
  /** Begins a call before its body is read; `timeoutMs` is what the client allows. Every call must be ended. */
  begin(headers: PropagatedHeaders, timeoutMs: number | undefined, key?: string): RunningCall;
  serve(begun: RunningCall, incoming: Incoming): Served;
  /** Settles when no call is in flight. */
  idle(): Promise<void>;
  /** Cuts off what is in flight; returns how many calls that were. */
  abortAll(reason: HostError): number;
}

export interface ServingOptions {
  config: Pick<Config, "deadlineMs" | "maxConcurrentRequests">;
  log: Logger;
  tracing: Tracing;
  admission: Pick<Admission, "headersOf" | "admit">;
}

/** How long work that was aborted may take to say by itself what it waited for. */
const lastWordsMs = 100;

export function createServing({ config, log, tracing, admission }: ServingOptions): Serving {
  const calls = new Set<Ending>();
  const waiting = new Set<() => void>();
  let cold = true;
  const { promise: first, resolve: firstAnswered } = Promise.withResolvers<void>();

  const serve: Serving["serve"] = (begun, incoming) => {
    const { protocol, name, attributes, startedAt, event } = incoming;
    const coldStart = cold;
    cold = false;
    const { trace, links } = placeInTrace(begun.headers, event?.headers);
    const headers = admission.headersOf({ ...begun.headers, ...event?.headers });
    const operation = tracing.begin(
      {
        kind: "server",
        name,
        attributes: {
          ...attributes,
          "faas.trigger": event ? "pubsub" : "http",
          ...(coldStart && { "faas.coldstart": true }),
        },
      },
      { headers },
      { trace, links, startedAt },
    );
    const place = operation.trace ?? trace.parent;
    const call = begun.with({
      headers: operation.headers,
      operation,
      log: () => logOf(log, headers, place),
    });
    let ended = false;
    return {
      call,
      async run(work) {
        if (calls.size > config.maxConcurrentRequests) {
          const detail = `${config.maxConcurrentRequests} requests are under way already`;
          throw new HostError("ERR_OVERLOAD", detail, { headers: retrySoon });
        }
        await admission.admit(call, event?.key);
        return call.ending.limit(work(call), lastWordsMs);
      },
      fail(thrown) {
        const error = HostError.from(thrown);
        operation.fail(error);
        if (error !== thrown) call.log.error({ err: thrown }, "failed unexpectedly");
        else call.log.debug({ err: error }, "answered with an error");
        return error;
      },
      end({ summary, route, status, bytes, attributes: last }) {
        if (ended) return;
        ended = true;
        operation.set(last);
        operation.end();
        const durationMs = Math.round((performance.now() - startedAt) * 10) / 10;
        const line = {
          route,
          protocol,
          status,
          durationMs,
          bytes,
          ...(coldStart && { coldStart }),
        };
        const text = `${summary} in ${durationMs} ms${coldStart ? ", the first of this process" : ""}`;
        if (headers["x-log-level"]) call.log.info(line, text);
        else log.info({ ...bindingsOf(headers, place), ...line }, text);
        begun.end();
        if (coldStart) firstAnswered();
      },
    };
  };

  return {
    first,
    begin(headers, timeoutMs = config.deadlineMs, key) {
      const call = createCall({
        headers: headers["x-request-id"] ? headers : { ...headers, "x-request-id": randomUUID() },
        timeoutMs: Math.min(timeoutMs, config.deadlineMs),
        key,
        log,
        onEnd() {
          if (!calls.delete(call.ending) || calls.size > 0) return;
          for (const resolve of waiting) resolve();
          waiting.clear();
        },
      });
      calls.add(call.ending);
      return call;
    },
    serve,
    idle: () => new Promise((resolve) => (calls.size === 0 ? resolve() : waiting.add(resolve))),
    abortAll(reason) {
      for (const ending of calls) ending.abort(reason);
      return calls.size;
    },
  };
}
