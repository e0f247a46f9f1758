import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { HostError } from "#host/base/errors";
import { parseMediaType } from "#host/base/media-type";
import type { TraceSpan } from "../ui/live.ts";
import {
  type AnyValue,
  decodeOneSpan,
  decodeRequest,
  encodeRequest,
  type KeyValue,
  type Long,
  type OtlpSpan,
  toNumber,
} from "./otlp-messages.ts";

export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** A span as OTLP brought it. Times are in ms since the epoch, with fractions. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  /** `service.name` of its resource: the function. */
  readonly service: string;
  readonly name: string;
  readonly kind: TraceSpan["kind"];
  readonly startMs: number;
  readonly durationMs: number;
  readonly attributes: Attributes;
  /** Its status's message, or `error.type` without one; null for success. */
  readonly error: string | null;
  readonly events: readonly SpanEvent[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

export interface SpanEvent {
  readonly name: string;
  readonly atMs: number;
  readonly attributes: Attributes;
}

/** A request's body as it came, which can be sent on as it is. */
export interface OtlpBody {
  readonly bytes: Buffer;
  readonly contentType: string;
  readonly contentEncoding: string | undefined;
}

const unzip = promisify(gunzip);

/**
 * A body as protobuf, be it that or JSON, gzipped or not. Throws a HostError where it is neither, or larger than the
 * limit; what the bytes of protobuf hold is not looked at.
 */
export async function unpackOtlp(body: OtlpBody, limitBytes: number): Promise<Uint8Array> {
  const bytes = await unzipped(body, limitBytes);
  const type = parseMediaType(body.contentType).essence;
  if (type === "application/x-protobuf") return bytes;
  if (type === "application/json") return encodeRequest(JSON.parse(bytes.toString(), idFromHex));
  throw new HostError("ERR_BAD_REQUEST", `content-type ${body.contentType} is not read`);
}

/** The spans of a body of protobuf. */
export function decodeSpans(bytes: Uint8Array): Span[] {
  return decodeRequest(bytes).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = attributesOf(resource?.attributes ?? [])["service.name"];
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => spanOf(span, String(service ?? "unknown"))),
    );
  });
}

/** One span of such a body. */
export function decodeSpan(bytes: Uint8Array, service: string): Span {
  return spanOf(decodeOneSpan(bytes), service);
}

async function unzipped({ bytes, contentEncoding }: OtlpBody, limitBytes: number): Promise<Buffer> {
  if (contentEncoding === undefined || contentEncoding === "identity") return bytes;
  if (contentEncoding !== "gzip") {
    throw new HostError("ERR_BAD_REQUEST", `content-encoding ${contentEncoding} is not read`);
  }
  try {
    return await unzip(bytes, { maxOutputLength: limitBytes });
  } catch (cause) {
    const tooLarge = (cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    if (tooLarge) throw new HostError("ERR_TOO_LARGE", `more than ${limitBytes} bytes`, { cause });
    throw new HostError("ERR_BAD_REQUEST", "the body is not gzip", { cause });
  }
}

/** OTLP's JSON has ids as hex, where protobuf's own mapping has base64. */
function idFromHex(key: string, value: unknown): unknown {
  const isId = ["traceId", "spanId", "parentSpanId"].includes(key) && typeof value === "string";
  return isId ? Buffer.from(value, "hex").toString("base64") : value;
}

function spanOf(span: OtlpSpan, service: string): Span {
  const attributes = attributesOf(span.attributes);
  const failed = span.status?.code === statusError;
  return {
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: hex(span.parentSpanId) || null,
    service,
    name: span.name,
    kind: kinds[span.kind] ?? "internal",
    startMs: toMs(span.startTimeUnixNano),
    durationMs: Math.max(0, msBetween(span.startTimeUnixNano, span.endTimeUnixNano)),
    attributes,
    error: failed ? span.status?.message || String(attributes["error.type"] ?? "failed") : null,
    events: span.events.map((event) => ({
      name: event.name,
      atMs: toMs(event.timeUnixNano),
      attributes: attributesOf(event.attributes),
    })),
    links: span.links.map((link) => ({ traceId: hex(link.traceId), spanId: hex(link.spanId) })),
  };
}

/** By the numbers of SpanKind in proto/otlp.proto. */
const kinds = ["internal", "internal", "server", "client", "producer", "consumer"] as const;
const statusError = 2;

function attributesOf(list: readonly KeyValue[]): Attributes {
  const entries = list.flatMap(({ key, value }) => {
    const plain = value ? plainOf(value) : undefined;
    return plain === undefined ? [] : [[key, plain] as const];
  });
  return Object.fromEntries(entries);
}

/** Several values become one text, since the page only shows them. Undefined for kinds that are not read. */
function plainOf(any: AnyValue): string | number | boolean | undefined {
  const { value } = any;
  if (value === undefined) return undefined;
  if (value === "arrayValue") return (any.arrayValue?.values ?? []).map(plainOf).join(", ");
  return value === "intValue" ? toNumber(any.intValue) : any[value];
}

function hex(bytes: Uint8Array): string {
  // Of a field that was not sent it is an empty array.
  return bytes.length === 0 ? "" : Buffer.from(bytes).toString("hex");
}

/** In two steps, since the nanoseconds since the epoch are more than a number holds exactly. */
function toMs({ high, low }: Long): number {
  const nano = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return Number(nano / 1_000_000n) + Number(nano % 1_000_000n) / 1e6;
}

/** By halves, for the same reason. */
function msBetween(start: Long, end: Long): number {
  return ((end.high - start.high) * 2 ** 32 + ((end.low >>> 0) - (start.low >>> 0))) / 1e6;
}
