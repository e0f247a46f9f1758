/** OTLP's trace messages, decoded by protobufjs from proto/otlp.proto. */
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Type } from "protobufjs";
import { functionsDir } from "./discover.ts";

/** A whole number of 64 bits, in halves. */
export interface Long {
  readonly low: number;
  readonly high: number;
}

export interface ExportTraceServiceRequest {
  readonly resourceSpans: readonly {
    readonly resource?: { readonly attributes: readonly KeyValue[] } | null;
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

export interface OtlpSpan {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId: Uint8Array;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: Long;
  readonly endTimeUnixNano: Long;
  readonly attributes: readonly KeyValue[];
  readonly events: readonly {
    readonly timeUnixNano: Long;
    readonly name: string;
    readonly attributes: readonly KeyValue[];
  }[];
  readonly links: readonly { readonly traceId: Uint8Array; readonly spanId: Uint8Array }[];
  readonly status?: { readonly code: number; readonly message: string } | null;
}

export interface KeyValue {
  readonly key: string;
  readonly value?: AnyValue | null;
}

/** One of its members is set; `value` names it. */
export interface AnyValue {
  readonly value?: "stringValue" | "boolValue" | "intValue" | "doubleValue" | "arrayValue";
  readonly stringValue: string;
  readonly boolValue: boolean;
  readonly intValue: Long;
  readonly doubleValue: number;
  readonly arrayValue?: { readonly values: readonly AnyValue[] } | null;
}

const require = createRequire(import.meta.url);
let types: { request: Type; span: Type } | undefined;

/** Loaded when a span is looked at, with protobufjs: most runs of the graph need neither. */
function loadTypes() {
  if (types) return types;
  const { loadSync } = require("protobufjs") as typeof import("protobufjs");
  const root = loadSync(join(functionsDir, "../proto/otlp.proto"));
  types = {
    request: root.lookupType("otlp.ExportTraceServiceRequest"),
    span: root.lookupType("otlp.Span"),
  };
  return types;
}

/** Throws for bytes that are no such message. */
export function decodeRequest(bytes: Uint8Array): ExportTraceServiceRequest {
  return loadTypes().request.decode(bytes) as unknown as ExportTraceServiceRequest;
}

/** The same for a span alone. */
export function decodeOneSpan(bytes: Uint8Array): OtlpSpan {
  return loadTypes().span.decode(bytes) as unknown as OtlpSpan;
}

/** From protobuf's own mapping to JSON, with enums by name or number and bytes as base64. */
export function encodeRequest(json: object): Uint8Array {
  const { request } = loadTypes();
  return request.encode(request.fromObject(json)).finish();
}

/** As a number, which is exact up to 2^53. */
export function toNumber({ low, high }: Long): number {
  return high * 2 ** 32 + (low >>> 0);
}
