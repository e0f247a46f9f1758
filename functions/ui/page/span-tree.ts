import type { Trace, TraceSpan } from "../live.ts";

export interface SpanRow {
  readonly span: TraceSpan;
  /** How deep it is below the root. */
  readonly depth: number;
  readonly protocol: "http" | "grpc" | "amqp" | "mongodb" | "cloudevents" | undefined;
  /** A message that was taken from the queue: the hop that no one waited for. */
  readonly fromQueue: boolean;
  /** From the end of the publishing span to its begin, in ms. Clocks of two machines may make it negative. */
  readonly queuedMs: number | undefined;
}

/** Spans below those that caused them, each level in the order of its begin. One whose parent is missing is a root. */
export function spanRows({ timeline }: Pick<Trace, "timeline">): SpanRow[] {
  const byId = new Map(timeline.map((span) => [span.spanId, span]));
  const children = Map.groupBy(timeline, ({ parentSpanId }) =>
    parentSpanId !== null && byId.has(parentSpanId) ? parentSpanId : "",
  );
  const rows: SpanRow[] = [];
  const walk = (parent: string, depth: number) => {
    const level = [...(children.get(parent) ?? [])].sort((a, b) => a.offsetMs - b.offsetMs);
    for (const span of level) {
      // A span's own id as its parent's would lead nowhere else; it was found by its parent, so it ends here.
      children.delete(parent);
      rows.push(rowOf(span, depth, span.parentSpanId ? byId.get(span.parentSpanId) : undefined));
      walk(span.spanId, depth + 1);
    }
  };
  walk("", 0);
  return rows;
}

export function protocolOf({ attributes }: TraceSpan): SpanRow["protocol"] {
  if ("db.system.name" in attributes) return "mongodb";
  if ("messaging.system.name" in attributes) return "amqp";
  if ("cloudevents.event_id" in attributes) return "cloudevents";
  if ("rpc.system.name" in attributes || "rpc.system" in attributes) return "grpc";
  return "http.request.method" in attributes ? "http" : undefined;
}

function rowOf(span: TraceSpan, depth: number, parent: TraceSpan | undefined): SpanRow {
  const fromQueue = span.kind === "consumer";
  const published = parent?.kind === "producer" ? parent.offsetMs + parent.durationMs : undefined;
  return {
    span,
    depth,
    protocol: protocolOf(span),
    fromQueue,
    queuedMs: fromQueue && published !== undefined ? span.offsetMs - published : undefined,
  };
}
