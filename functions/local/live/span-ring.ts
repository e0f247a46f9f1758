import type { GraphEdge } from "#host/kinds/graph";
import type { Span } from "../otlp.ts";
import type { Glance } from "../otlp-glance.ts";

/** What is counted of a span at once. */
export interface SeenSpan
  extends Pick<Glance, "traceId" | "service" | "kind" | "startMs" | "durationMs" | "failed"> {
  readonly edge: GraphEdge | undefined;
  /** The function that the span is the wake of. */
  readonly woken: string | undefined;
  /** All of it, decoded anew each time. */
  whole(): Span;
}

/** The spans of one request of an exporter. */
export interface SeenBody {
  readonly bytes: number;
  /** When it came: ms since the epoch. */
  readonly at: number;
  readonly spans: readonly SeenSpan[];
}

export interface SpanRing {
  add(bytes: number, spans: readonly SeenSpan[]): SeenBody;
  /** The spans of a trace, in the order in which they came. */
  trace(traceId: string): readonly SeenSpan[];
  /** Every trace that is kept, oldest first. */
  traces(): readonly (readonly SeenSpan[])[];
  /** How many bytes are kept. */
  readonly bytes: number;
}

/** The last spans, by their traces, as bytes. The oldest bodies go when there are too many, or when their time is up. */
export function createSpanRing({
  mostBytes = 8 * 1_048_576,
  longestMs = 5 * 60_000,
  now = Date.now,
} = {}): SpanRing {
  const byTrace = new Map<string, SeenSpan[]>();
  let bodies: SeenBody[] = [];
  /** Those before it are forgotten; they are cut off when they are as many as the others. */
  let first = 0;
  let bytes = 0;

  const forget = () => {
    const latest = now() - longestMs;
    while (first < bodies.length) {
      const oldest = bodies[first];
      if (!oldest || (bytes <= mostBytes && oldest.at >= latest)) break;
      first += 1;
      bytes -= oldest.bytes;
      for (const { traceId } of oldest.spans) {
        const trace = byTrace.get(traceId);
        trace?.shift();
        if (trace?.length === 0) byTrace.delete(traceId);
      }
    }
    if (first > bodies.length / 2) {
      bodies = bodies.slice(first);
      first = 0;
    }
  };

  return {
    add(size, spans) {
      const body = { bytes: size, at: now(), spans };
      bodies.push(body);
      bytes += size;
      for (const span of spans) {
        const trace = byTrace.get(span.traceId);
        if (trace) trace.push(span);
        else byTrace.set(span.traceId, [span]);
      }
      forget();
      return body;
    },
    trace(traceId) {
      forget();
      return byTrace.get(traceId) ?? [];
    },
    traces() {
      forget();
      return [...byTrace.values()];
    },
    get bytes() {
      forget();
      return bytes;
    },
  };
}
