/**
 * The one seam where everything that a function does for a request begins and ends: each operation
 * becomes a span, where spans are made, and goes to every listener.
 */
import type { Attributes } from "@opentelemetry/api";
import { HostError } from "../base/errors.ts";
import type { PropagatedHeaders } from "../base/headers.ts";
import type { Operation, Outcome } from "./operation.ts";
import { type IncomingTrace, readTrace, type TraceContext, writeTrace } from "./trace-context.ts";

/** An operation that is under way. Every one must be ended. */
export interface RunningOperation {
  /** Its span; undefined where none are made. */
  readonly trace: TraceContext | undefined;
  /** For whatever is sent on: the trace goes on from here. */
  readonly headers: PropagatedHeaders;
  /** Also of its end: the status, say. */
  set(attributes: Attributes): void;
  /** For a name that is known only later: a request's route. */
  rename(name: string): void;
  /** Something that happened on the way: a retry, say. */
  event(name: string, attributes?: Attributes): void;
  /** It does not succeed. The first reason counts; a server is not at fault for what its client did. */
  fail(thrown: unknown): void;
  /** Idempotent. */
  end(): void;
}

/** What an operation is done for: a call, or whatever else brought its headers. */
export interface Within {
  readonly headers: PropagatedHeaders;
  /** Whose span is the parent; without it the headers tell. */
  readonly operation?: RunningOperation | undefined;
}

export interface BeginOptions {
  /** In place of what the headers say. */
  trace?: IncomingTrace;
  links?: readonly Pick<TraceContext, "traceId" | "spanId">[];
  /** When it began, by performance.now(); now, if it is left out. */
  startedAt?: number;
}

export interface Tracing {
  begin(operation: Operation, within: Within, options?: BeginOptions): RunningOperation;
  /** Begins it, does the work, and ends it; what the work throws is its failure, and is thrown on. */
  run<T>(
    operation: Operation,
    within: Within,
    work: (running: RunningOperation) => Promise<T>,
  ): Promise<T>;
  /** Sends what has not been sent yet, which may take as long as the receiver does; never rejects. */
  close(): Promise<void>;
}

/** Makes a span of each operation. The only one there is loads OpenTelemetry's SDK. */
export interface SpanMaker {
  start(operation: Operation, at: SpanStart): MadeSpan;
  close(): Promise<void>;
}

export interface SpanStart {
  trace: IncomingTrace;
  tracestate: string | undefined;
  links: NonNullable<BeginOptions["links"]>;
  startedAt: number;
}

export interface MadeSpan {
  readonly trace: TraceContext;
  event(name: string, attributes: Attributes | undefined): void;
  /** `failure` is the status's message, empty where the attributes say all. Times by performance.now(). */
  end(last: {
    name: string;
    attributes: Attributes;
    failure: string | undefined;
    endedAt: number;
  }): void;
}

export interface TracingOptions {
  spans?: SpanMaker | undefined;
  /** Called with each operation as it ends. */
  listeners?: readonly ((outcome: Outcome) => void)[];
}

export function createTracing({ spans, listeners = [] }: TracingOptions = {}): Tracing {
  const begin: Tracing["begin"] = (operation, within, options = {}) => {
    const { startedAt = performance.now(), links = [] } = options;
    const attributes = { ...operation.attributes };
    let { name } = operation;
    let failure: HostError | undefined;
    let ended = false;

    const own = within.operation?.trace;
    const trace = options.trace ?? (own && { ...own, parent: own });
    const span = spans && startSpan(spans, operation, within, { trace, links, startedAt });

    return {
      trace: span?.trace,
      headers: span?.headers ?? within.headers,
      set: (more) => void Object.assign(attributes, more),
      rename: (next) => {
        name = next;
      },
      event: (what, more) => span?.event(what, more),
      fail(thrown) {
        failure ??= HostError.from(thrown);
      },
      end() {
        if (ended) return;
        ended = true;
        const endedAt = performance.now();
        const isFault = failure && !(operation.kind === "server" && failure.http < 500);
        if (failure && isFault) {
          attributes["error.type"] = failure.code;
          const { code, message } = failure;
          // Without the stack and the cause, which are in the log and may hold anything.
          span?.event("exception", { "exception.type": code, "exception.message": message });
        }
        // Set where the status is all that is known of an error: for a plain handler.
        const errorType = attributes["error.type"] as string | undefined;
        const reason = isFault ? failure?.message : errorType && "";
        span?.end({ name, attributes, failure: reason, endedAt });
        const sampled = span?.trace.sampled ? span.trace : undefined;
        for (const listener of listeners) {
          listener({
            kind: operation.kind,
            name,
            attributes,
            durationSeconds: (endedAt - startedAt) / 1_000,
            errorType,
            traceId: sampled?.traceId,
            spanId: sampled?.spanId,
          });
        }
      },
    };
  };

  return {
    begin,
    async run(operation, within, work) {
      const running = begin(operation, within);
      try {
        return await work(running);
      } catch (thrown) {
        running.fail(thrown);
        throw thrown;
      } finally {
        running.end();
      }
    },
    async close() {
      await spans?.close();
    },
  };
}

function startSpan(
  spans: SpanMaker,
  operation: Operation,
  { headers }: Within,
  at: { trace: IncomingTrace | undefined; links: SpanStart["links"]; startedAt: number },
): MadeSpan & { headers: PropagatedHeaders } {
  const incoming = at.trace ?? readTrace(headers);
  const span = spans.start(operation, { ...at, trace: incoming, tracestate: headers.tracestate });
  const { parent, random } = incoming;
  const trace = { ...span.trace, ...(parent && random && { random }) };
  return { ...span, trace, headers: writeTrace(headers, trace, parent) };
}
