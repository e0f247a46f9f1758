import type { Trace, TraceSpan, TraceSummary } from "../../ui/live.ts";
import type { Span } from "../otlp.ts";
import type { SeenSpan, SpanRing } from "./span-ring.ts";

/** What traces are asked for: those that have to do with a node, or with an edge; all without either. */
export interface TraceQuery {
  readonly node?: string | undefined;
  readonly edge?: { readonly from: string; readonly to: string } | undefined;
  readonly limit: number;
}

/** The newest first. */
export function tracesOf(ring: SpanRing, { node, edge, limit }: TraceQuery): TraceSummary[] {
  const asked = (seen: SeenSpan) => {
    if (edge) return seen.edge?.from === edge.from && seen.edge.to === edge.to;
    if (node === undefined) return true;
    return seen.service === node || seen.edge?.from === node || seen.edge?.to === node;
  };
  return ring
    .traces()
    .filter((trace) => trace.some(asked))
    .map((trace) => ({ trace, begin: beginOf(trace) }))
    .sort((a, b) => b.begin - a.begin)
    .slice(0, limit)
    .map(({ trace }) => summaryOf(trace.map((seen) => seen.whole())));
}

/** Undefined when nothing of it is kept. */
export function traceOf(ring: SpanRing, traceId: string): Trace | undefined {
  const spans = ring.trace(traceId).map((seen) => seen.whole());
  if (spans.length === 0) return undefined;
  const begin = beginOf(spans);
  // Those that began together: callers before those that they called, in whatever order they came.
  const inOrder = spans.toSorted((a, b) => a.startMs - b.startMs || b.durationMs - a.durationMs);
  return { ...summaryOf(spans), timeline: inOrder.map((span) => entryOf(span, begin)) };
}

function summaryOf(spans: readonly Span[]): TraceSummary {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const begin = beginOf(spans);
  const end = Math.max(...spans.map(({ startMs, durationMs }) => startMs + durationMs));
  const tops = spans.filter(({ parentSpanId }) => !parentSpanId || !ids.has(parentSpanId));
  const [root] = tops.sort((a, b) => a.startMs - b.startMs);
  return {
    traceId: root?.traceId ?? "",
    name: root?.name ?? "",
    startedAt: new Date(begin).toISOString(),
    durationMs: round(end - begin),
    spans: spans.length,
    failed: spans.some(({ error }) => error !== null),
  };
}

function entryOf(span: Span, begin: number): TraceSpan {
  const { spanId, parentSpanId, service, name, kind, error, attributes, links } = span;
  return {
    spanId,
    parentSpanId,
    service,
    name,
    kind,
    offsetMs: round(span.startMs - begin),
    durationMs: round(span.durationMs),
    error,
    attributes,
    events: span.events.map((event) => ({ name: event.name, offsetMs: round(event.atMs - begin) })),
    links,
  };
}

function beginOf(spans: readonly Pick<Span, "startMs">[]): number {
  return Math.min(...spans.map(({ startMs }) => startMs));
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
