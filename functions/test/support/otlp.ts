/** Sends spans as a function's exporter does, for tests of those who receive them. */
import { encodeRequest } from "../../local/otlp-messages.ts";
import type { TraceSpan } from "../../ui/live.ts";

export interface SentSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  service: string;
  kind: TraceSpan["kind"];
  name: string;
  /** It has just ended, and took this long. */
  ms: number;
  error?: string;
  attributes?: Record<string, string | number>;
  /** What happened on the way, by name: ms since the epoch. */
  events?: Record<string, number>;
}

const kinds = {
  server: "SPAN_KIND_SERVER",
  client: "SPAN_KIND_CLIENT",
  producer: "SPAN_KIND_PRODUCER",
  consumer: "SPAN_KIND_CONSUMER",
  internal: "SPAN_KIND_INTERNAL",
};

/** As bytes of OTLP, one resource for each service. */
export function encodeSpans(spans: readonly SentSpan[], now = Date.now()): Uint8Array {
  const resourceSpans = [...Map.groupBy(spans, ({ service }) => service)].map(([name, some]) => ({
    resource: { attributes: keyValues({ "service.name": name }) },
    scopeSpans: [{ spans: some.map((span) => encode(span, now)) }],
  }));
  return encodeRequest({ resourceSpans });
}

export async function sendSpans(origin: string, spans: readonly SentSpan[]): Promise<void> {
  const response = await fetch(`${origin}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf" },
    body: new Uint8Array(encodeSpans(spans)),
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
}

function encode(
  { kind, name, ms, error, attributes = {}, events = {}, ...ids }: SentSpan,
  now: number,
) {
  return {
    traceId: Buffer.from(ids.traceId, "hex"),
    spanId: Buffer.from(ids.spanId, "hex"),
    parentSpanId: Buffer.from(ids.parentSpanId ?? "", "hex"),
    name,
    kind: kinds[kind],
    startTimeUnixNano: nano(now - ms),
    endTimeUnixNano: nano(now),
    attributes: keyValues(attributes),
    events: Object.entries(events).map(([event, at]) => ({ name: event, timeUnixNano: nano(at) })),
    links: [],
    status: error === undefined ? undefined : { code: "STATUS_CODE_ERROR", message: error },
  };
}

/** As text, since a number does not hold them exactly. */
function nano(ms: number): string {
  return String(BigInt(Math.round(ms * 1_000)) * 1_000n);
}

function keyValues(attributes: Record<string, string | number>) {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === "string" ? { stringValue: value } : { intValue: value },
  }));
}
