/** What clients send as events, and what must become of it. A report is one more row. */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import type { EventJson } from "#host/events/event-rules";
import type { Headers, Way } from "../support/event-graph.ts";

export interface EventRow {
  readonly what: string;
  /** Of the request, or of the message; every row adds those of `required`, unless it says otherwise. */
  readonly headers: Headers;
  readonly body: Buffer;
  /** What is stored besides specversion, id, source and type; undefined where it is refused. */
  readonly stored?: Partial<EventJson>;
  /** The answer's status. */
  readonly refused?: number;
  /** In the detail of the refusal, or in the reason of the dead letter. */
  readonly because?: RegExp;
  /** By which ways the row makes sense; by all unless it says so. */
  readonly ways?: readonly Way[];
}

/** A new id for each row and each way. */
export function required(id: string): Record<string, string> {
  return { "ce-specversion": "1.0", "ce-id": id, "ce-source": "/corpus", "ce-type": "t" };
}

const byHttp = ["HTTP", "the gateway"] as const;
const json = { "content-type": "application/json" };
const text = { "content-type": "text/plain" };
const object = { data: { a: 1 } };
const encoded = (encoding: string, body: Buffer) => ({
  headers: { ...json, "content-encoding": encoding },
  body,
  ways: byHttp,
});
const sent = Buffer.from('{"a":1}');

const binary = (
  what: string,
  headers: Headers,
  body: string | Buffer,
  rest: Omit<EventRow, "what" | "headers" | "body">,
): EventRow => ({ what, headers, body: Buffer.from(body), ...rest });

export const eventRows: readonly EventRow[] = [
  binary("JSON", json, sent, { stored: object }),
  binary("JSON null", json, "null", { stored: { data: null } }),
  binary("JSON false", json, "false", { stored: { data: false } }),
  binary("JSON 0", json, "0", { stored: { data: 0 } }),
  binary("an empty JSON text", json, '""', { stored: { data: "" } }),
  binary("no data", {}, "", { stored: {} }),
  binary("JSON with a charset", { "content-type": "application/json;charset=utf-8" }, sent, {
    stored: object,
  }),
  binary("JSON in capitals", { "content-type": "Application/JSON; Charset=UTF-8" }, sent, {
    stored: object,
  }),
  binary("JSON by suffix", { "content-type": "application/vnd.order+json; v=2" }, sent, {
    stored: object,
  }),
  binary("text/json", { "content-type": "text/json" }, sent, { stored: object }),
  binary("JSON that is none", json, "{", { refused: 400, because: /not JSON/ }),
  binary("JSON that is no UTF-8", json, Buffer.from([0x22, 0xff, 0x22]), {
    refused: 400,
    because: /not JSON/,
  }),
  binary("bytes", { "content-type": "application/octet-stream" }, Buffer.from([255, 254, 128]), {
    stored: { data_base64: "//6A" },
  }),
  binary("an image", { "content-type": "image/png" }, Buffer.from([137, 80, 78, 71]), {
    stored: { data_base64: "iVBORw==" },
  }),
  binary("text", text, "Grüße\u{1F600}", { stored: { data: "Grüße\u{1F600}" } }),
  binary("text with a byte order mark", text, "\ufeffa", { stored: { data: "\ufeffa" } }),
  binary("text that is no UTF-8", text, Buffer.from([0xff]), { stored: { data_base64: "/w==" } }),
  binary(
    "text in Latin-1",
    { "content-type": "text/plain; charset=ISO-8859-1" },
    Buffer.from("Grüße", "latin1"),
    { stored: { data: "Grüße" } },
  ),
  binary(
    "text in a charset that is not known",
    { "content-type": "text/plain; charset=x-none" },
    "a",
    { stored: { data_base64: "YQ==" } },
  ),
  { what: "JSON in gzip", ...encoded("gzip", gzipSync(sent)), stored: object },
  { what: "JSON in x-gzip", ...encoded("X-GZip", gzipSync(sent)), stored: object },
  { what: "JSON in deflate", ...encoded("deflate", deflateSync(sent)), stored: object },
  { what: "JSON in bare deflate", ...encoded("deflate", deflateRawSync(sent)), stored: object },
  { what: "JSON in br", ...encoded("br", brotliCompressSync(sent)), stored: object },
  { what: "JSON in identity", ...encoded("identity", sent), stored: object },
  {
    what: "JSON in gzip in br",
    ...encoded("gzip, br", brotliCompressSync(gzipSync(sent))),
    stored: object,
  },
  {
    what: "an encoding that is not known",
    ...encoded("zstd", sent),
    refused: 415,
    because: /zstd/,
  },
  {
    what: "three encodings",
    ...encoded("gzip, gzip, gzip", sent),
    refused: 415,
    because: /content-encoding/,
  },
  {
    what: "gzip that is none",
    ...encoded("gzip", sent),
    refused: 400,
    because: /the body is not gzip/,
  },
  {
    what: "gzip that is cut off",
    ...encoded("gzip", gzipSync(sent).subarray(0, 20)),
    refused: 400,
    because: /the body is not gzip/,
  },
  {
    what: "gzip of more than the limit",
    ...encoded("gzip", gzipSync(Buffer.alloc(2_000_000, " "))),
    refused: 413,
    because: /1048576 bytes/,
  },
  binary("an escaped subject", { ...json, "ce-subject": "Gr%C3%BC%C3%9Fe%25 %20" }, sent, {
    stored: { ...object, subject: "Grüße%  " },
  }),
  binary("a quoted subject", { "ce-subject": '"a \\"b\\" %41"' }, "", {
    stored: { subject: 'a "b" A' },
  }),
  binary("a percent sign that escapes nothing", { "ce-subject": "50% off, 5%x" }, "", {
    stored: { subject: "50% off, 5%x" },
  }),
  binary("escapes that are no UTF-8", { "ce-subject": "%FF" }, "", {
    refused: 400,
    because: /ce-subject is not percent-encoded UTF-8/,
  }),
  binary("an escaped control character", { "ce-subject": "a%00b" }, "", {
    refused: 400,
    because: /subject has a value/,
  }),
  binary("an escaped extension", { "ce-city": "K%C3%B6ln" }, "", { stored: { city: "Köln" } }),
  binary("an extension of 16 KiB", { "ce-long": "x".repeat(16_400) }, "", {
    refused: 400,
    because: /16384 bytes/,
  }),
  binary("an extension of 16,000 bytes", { "ce-long": "x".repeat(16_000) }, "", {
    stored: { long: "x".repeat(16_000) },
  }),
  binary("a name with a dash", { "ce-a-b": "1" }, "", { refused: 400, ways: byHttp }),
  binary("an attribute data", { "ce-data": "1" }, "", { refused: 400, ways: byHttp }),
  binary("an attribute data_base64", { "ce-data_base64": "YQ==" }, "", { refused: 400 }),
  binary("two ids", { "ce-id": ["1", "2"] }, "", {
    refused: 400,
    because: /ce-id is there 2 times/,
    ways: byHttp,
  }),
  binary("two subjects", { "ce-subject": ["1", "1"] }, "", {
    refused: 400,
    because: /ce-subject is there 2 times/,
    ways: byHttp,
  }),
  binary("a datacontenttype of its own", { "ce-datacontenttype": "text/plain" }, "", {
    refused: 400,
    because: /content-type/,
    ways: byHttp,
  }),
  binary("a content type that is none", { "content-type": "nonsense" }, "a", {
    refused: 400,
    because: /no media type/,
  }),
  binary("an empty id", { "ce-id": "" }, "", { refused: 400, ways: byHttp }),
  binary("version 2.0", { "ce-specversion": "2.0" }, "", {
    refused: 400,
    because: /specversion 2\.0/,
    ways: byHttp,
  }),
  ...[
    "yesterday",
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-01",
    "2026-01-01T25:00:00Z",
    "2026-01-01 00:00:00Z",
    "2026-01-01T00:00:00",
    "1767225600",
  ].map((time) =>
    binary(`the time ${time}`, { "ce-time": time }, "", { refused: 400, because: /time|TIME/ }),
  ),
  ...["2026-01-01T00:00:00Z", "2028-02-29T23:59:59.123456789Z"].map((time) =>
    binary(`the time ${time}`, { "ce-time": time }, "", { stored: { time } }),
  ),
];
