/** CloudEvents, right and broken, in the parts that HTTP and AMQP share. */
import fc from "fast-check";
import { anyText, bytes } from "./http-headers.ts";

const mostly = <T>(right: T, ...wrong: fc.Arbitrary<T>[]) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(right) }, ...wrong);

const time = fc.constantFrom(
  ...[
    "2026-01-01T00:00:00Z",
    "2026-02-29T00:00:00Z",
    "2026-12-31T23:59:60.999999999+14:00",
    "yesterday",
  ],
  ...[
    "",
    "0",
    "1e99",
    "9999-99-99T99:99:99Z",
    "+275760-09-13T00:00:00Z",
    "2026-01-01T00:00:00z ",
    "٢٠٢٦",
  ],
);

/** Values of attributes as they could come in any of the formats: text, numbers, and what no attribute may be. */
const value: fc.Arbitrary<unknown> = fc.oneof(
  anyText,
  time,
  fc.constantFrom<unknown>(
    ...["", " ", '"', '"a', '"a\\"', "%", "%ZZ", "%00", "%ff", "a".repeat(9_000)],
  ),
  fc.constantFrom<unknown>(0, -1, 0.5, 2 ** 31, 1e308, true, false, null, [], {}, [[1]], {
    a: { b: 1 },
  }),
);

const name = fc.constantFrom(
  ...[
    "subject",
    "time",
    "dataschema",
    "datacontenttype",
    "dataref",
    "traceparent",
    "xrequestid",
    "xfault",
  ],
  ...[
    "Upper",
    "with-dash",
    "ü",
    "",
    "data",
    "database64",
    "data_base64",
    "__proto__",
    "constructor",
    "a b",
  ],
  ...[
    "x".repeat(300),
    "partitionkey",
    "sequence",
    "specVersion",
    "ID",
    "toString",
    "hasOwnProperty",
  ],
);

/** Of an event, some of them missing or wrong. */
export const attributes: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(
    fc.record(
      {
        specversion: mostly("1.0", fc.constantFrom("0.3", "2.0", "", "1.0.2", " 1.0")),
        id: fc.oneof(fc.uuid(), anyText),
        source: mostly("/fuzz", anyText, fc.constantFrom("", "a b", "http://[", "/\0")),
        type: mostly("fuzz", anyText, fc.constant("")),
      },
      { requiredKeys: [] },
    ),
    fc.array(fc.tuple(name, value), { maxLength: 4 }),
    fc.boolean(),
  )
  .map(([core, more, whole]) => {
    const required = whole ? { specversion: "1.0", source: "/fuzz", type: "fuzz" } : {};
    return Object.fromEntries([...Object.entries({ ...core, ...required }), ...more]);
  });

export const contentType = fc.constantFrom(
  ...[
    "application/json",
    "application/json; charset=utf-16",
    "text/plain",
    "text/plain; charset=iso-8859-1",
  ],
  ...[
    "text/plain; charset=nonsense",
    "application/octet-stream",
    "application/vnd.x+json",
    "",
    ";",
    "a/b/c",
  ],
  ...[
    "application/cloudevents+json",
    "application/cloudevents+json; charset=utf-16",
    "application/xml",
  ],
  ...[
    "application/cloudevents-batch+json",
    "application/cloudevents+avro",
    "application/cloudevents",
    "JSON",
  ],
);

export const encoding = fc.constantFrom(
  "gzip",
  "br",
  "deflate",
  "identity",
  "gzip, gzip",
  "zstd",
  "",
  "x",
);

/** Of a body, as bytes. */
export const content: fc.Arbitrary<Buffer> = fc.oneof(
  fc.json().map((text) => Buffer.from(text)),
  fc
    .constantFrom(
      "null",
      "0",
      "",
      "{",
      '"',
      "NaN",
      "\ufeff{}",
      '{"a":1}{',
      '{"__proto__":{"x":1}}',
      "1e999",
    )
    .map((text) => Buffer.from(text)),
  fc.constantFrom(1_000, 40_000).map((depth) => Buffer.from("[".repeat(depth) + "]".repeat(depth))),
  fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
);

/** An event of the JSON format, or what comes close to one. */
export const structured: fc.Arbitrary<Buffer> = fc
  .tuple(
    attributes,
    fc.record(
      { data: value, data_base64: fc.oneof(bytes, fc.base64String()) },
      { requiredKeys: [] },
    ),
  )
  .map(([given, data]) => Buffer.from(JSON.stringify({ ...given, ...data })));
