import type { IncomingHttpHeaders } from "node:http";
import { withinLimits } from "./header-limits.ts";

/**
 * The one list of headers that travel with a request along every hop, over HTTP, gRPC and the
 * queue: W3C Trace Context and Baggage, B3 in both forms, what the usual proxies and vendors set, and
 * what a request asks of every function that it passes. A name that ends in "-bin" is binary in gRPC, and
 * base64 here and over HTTP.
 */
export const propagatedHeaders = [
  "traceparent",
  "tracestate",
  "baggage",
  "b3",
  "x-b3-traceid",
  "x-b3-spanid",
  "x-b3-parentspanid",
  "x-b3-sampled",
  "x-b3-flags",
  "x-request-id",
  "x-ot-span-context",
  "x-cloud-trace-context",
  "grpc-trace-bin",
  "x-log-level",
  "x-fault",
  "x-call-protocol",
] as const;

export type PropagatedHeader = (typeof propagatedHeaders)[number];
export type PropagatedHeaders = Readonly<Partial<Record<PropagatedHeader, string>>>;

/** Of an incoming HTTP request. A header given twice is joined by a comma, as W3C allows for its own. */
export function headersFromHttp(headers: IncomingHttpHeaders): PropagatedHeaders {
  return collect((name) => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(",") : value;
  });
}

/** The part of grpc-js's Metadata that is needed here. */
export interface MetadataLike {
  get(key: string): (string | Buffer)[];
  set(key: string, value: string | Buffer): void;
}

export function headersFromMetadata(metadata: MetadataLike): PropagatedHeaders {
  return collect((name) => {
    const values = metadata.get(name);
    if (values.length === 0) return undefined;
    return values.map((v) => (typeof v === "string" ? v : v.toString("base64"))).join(",");
  });
}

export function headersToMetadata(headers: PropagatedHeaders, metadata: MetadataLike): void {
  for (const [name, value] of Object.entries(headers)) {
    metadata.set(name, name.endsWith("-bin") ? Buffer.from(value, "base64") : value);
  }
}

/** As extension attributes of a CloudEvent, whose names are lower-case letters and digits only. */
export function headersToEvent(headers: PropagatedHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [attributeOf(name), value]),
  );
}

export function headersFromEvent(attributes: Readonly<Record<string, unknown>>): PropagatedHeaders {
  return collect((name) => {
    const value = attributes[attributeOf(name)];
    return typeof value === "string" ? value : undefined;
  });
}

/** The names that travelling headers have as attributes of an event. */
const attributeNames = new Set(propagatedHeaders.map(attributeOf));

export function isHeaderAttribute(name: string): boolean {
  return attributeNames.has(name);
}

function attributeOf(header: string): string {
  return header.replaceAll("-", "");
}

function collect(read: (name: PropagatedHeader) => string | undefined): PropagatedHeaders {
  const found: Partial<Record<PropagatedHeader, string>> = {};
  for (const name of propagatedHeaders) {
    const value = read(name);
    const kept = value && withinLimits(name, value);
    if (kept) found[name] = kept;
  }
  return found;
}
