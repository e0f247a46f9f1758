import type { GraphEdge } from "#host/kinds/graph";
import type { Span } from "../otlp.ts";
import { edgeOf } from "./span-edge.ts";

export interface SeenSpan {
  readonly span: Span;
  readonly edge: GraphEdge | undefined;
  /** When it came: ms since the epoch. */
  readonly at: number;
}

export interface SpanRing {
  add(spans: readonly Span[]): readonly SeenSpan[];
  /** The spans of a trace, in the order in which they came. */
  trace(traceId: string): readonly SeenSpan[];
  /** Every trace that is kept, oldest first. */
  traces(): readonly (readonly SeenSpan[])[];
  readonly size: number;
}

/** The last spans, by their traces. The oldest go when there are too many, or when their time is up. */
export function createSpanRing({
  most = 20_000,
  longestMs = 5 * 60_000,
  now = Date.now,
} = {}): SpanRing {
  const byTrace = new Map<string, SeenSpan[]>();
  let spans: SeenSpan[] = [];
  /** Those before it are forgotten; they are cut off when they are as many as the others. */
  let first = 0;

  const forget = () => {
    const latest = now() - longestMs;
    while (first < spans.length) {
      const oldest = spans[first];
      if (!oldest || (spans.length - first <= most && oldest.at >= latest)) break;
      first += 1;
      const trace = byTrace.get(oldest.span.traceId);
      trace?.shift();
      if (trace?.length === 0) byTrace.delete(oldest.span.traceId);
    }
    if (first > spans.length / 2) {
      spans = spans.slice(first);
      first = 0;
    }
  };

  return {
    add(some) {
      const seen = some.map((span) => ({ span, edge: edgeOf(span), at: now() }));
      for (const one of seen) {
        spans.push(one);
        const trace = byTrace.get(one.span.traceId);
        if (trace) trace.push(one);
        else byTrace.set(one.span.traceId, [one]);
      }
      forget();
      return seen;
    },
    trace(traceId) {
      forget();
      return byTrace.get(traceId) ?? [];
    },
    traces() {
      forget();
      return [...byTrace.values()];
    },
    get size() {
      forget();
      return spans.length - first;
    },
  };
}
