/** Events of the JSON format, as clients send them: all are refused with 400 that are not stored. */
import type { Way } from "../support/event-graph.ts";

/** The media type with a parameter, and in capitals: both are legal. */
export const structuredType = "Application/CloudEvents+JSON; charset=UTF-8";

interface StructuredRow {
  readonly what: string;
  /** Besides or in place of specversion, id, source and type. */
  readonly event: Readonly<Record<string, unknown>>;
  readonly stored: boolean;
  readonly because?: RegExp;
  readonly ways?: readonly Way[];
}

const kept = (
  what: string,
  event: StructuredRow["event"],
  ways?: readonly Way[],
): StructuredRow => ({
  ...{ what, event, stored: true },
  ...(ways && { ways }),
});
const refused = (
  what: string,
  event: StructuredRow["event"],
  because: RegExp,
  ways?: readonly Way[],
): StructuredRow => ({ ...{ what, event, stored: false, because }, ...(ways && { ways }) });

const json = { datacontenttype: "application/json" };

/**
 * Knative's source, whose ways the bridge has, makes up what is missing, cuts fractions off, and sends data without
 * a type as text: those rows are for HTTP alone.
 */
const byHttp = ["HTTP", "the gateway"] as const;

export const structuredRows: readonly StructuredRow[] = [
  kept("an object", { datacontenttype: "application/json", data: { a: [1, "ü", null] } }),
  kept("data 0", { data: 0, ...json }),
  kept("data false", { data: false, ...json }),
  kept("data null", { data: null, ...json }),
  kept("an empty text", { data: "", ...json }),
  kept("a number and no type", { data: 0 }, byHttp),
  kept("an object and no type", { data: { a: 1 } }, byHttp),
  kept("bytes", { data_base64: "//6A", datacontenttype: "application/octet-stream" }),
  kept("text", { data: "Grüße", datacontenttype: "text/plain" }),
  kept("no data", {}),
  kept("an attribute that is null", { subject: null, data: 1 }, byHttp),
  kept("extensions of every type", { flag: true, count: -7, text: "ü", data: 1, ...json }),
  kept("a leap second", { time: "2028-12-31T23:59:60Z" }, byHttp),
  refused("a number where text belongs", { subject: 5 }, /subject|string/),
  refused("an object as an extension", { more: { a: 1 } }, /more has a value/),
  refused("a list as an extension", { more: [1] }, /more has a value/),
  refused("a fraction as an extension", { more: 0.5 }, /more has a value/, byHttp),
  refused("a number over 32 bits", { more: 2 ** 31 }, /more has a value/),
  refused("data and data_base64", { data: 1, data_base64: "YQ==" }, /exclude each other/, byHttp),
  refused("base64 that is none", { data_base64: "a b" }, /base64/),
  refused("base64 without its padding", { data_base64: "YQ" }, /base64/),
  refused("version 2.0", { specversion: "2.0" }, /specversion/),
  refused("no id", { id: undefined }, /id is missing/, byHttp),
  refused("an empty type", { type: "" }, /type/),
  refused("no source", { source: undefined }, /source/),
  refused("a time that is none", { time: "2026-02-30T00:00:00Z" }, /time/),
  refused("a name in capitals", { Upper: "1" }, /./, byHttp),
  refused("a control character in an attribute", { subject: "a\u0007" }, /subject|character/),
  refused("a lone surrogate in an attribute", { subject: "\ud800" }, /subject/, byHttp),
  refused("a content type that is none", { datacontenttype: "json", data: 1 }, /media type|json/),
  refused("a lone surrogate in its data", { data: "\ud800" }, /surrogate/, byHttp),
  refused("a key with a zero in its data", { data: { "a\0b": 1 } }, /stored/),
];
