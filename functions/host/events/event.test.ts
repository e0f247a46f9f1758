/** What is read of an event over HTTP: CloudEvents 1.0.2, its JSON format, its HTTP binding. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { receiveEvent } from "#host/events/event";
import { parseBody } from "#host/http/body";

const required = { specversion: "1.0", id: "1", source: "/s", type: "t" };
const ce = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" };
const structuredType = "application/cloudevents+json";
const structuredHeaders = { "content-type": structuredType };

function read(headers: Record<string, string>, body: string | Buffer) {
  const bytes = Buffer.from(body);
  const headersDistinct = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value]]),
  );
  const request = { headers, headersDistinct };
  return receiveEvent(request, parseBody(bytes, headers["content-type"]));
}

for (const [what, type, sent] of [
  ["a leap second", structuredType, { ...required, time: "2028-02-29T23:59:60+01:00" }],
  ["an object", structuredType, { ...required, data: { a: 1 } }],
  ["data 0", structuredType, { ...required, data: 0 }],
  ["data false", structuredType, { ...required, data: false }],
  ["data null", structuredType, { ...required, data: null }],
  ["no data", structuredType, required],
  ["bytes", structuredType, { ...required, data_base64: "//6A" }],
  ["a charset", "application/cloudevents+json; charset=UTF-8", { ...required, data: "é" }],
  ["capitals in the media type", "Application/CloudEvents+JSON", { ...required, data: "a" }],
  [
    "a time with nanoseconds",
    structuredType,
    { ...required, time: "2026-01-01T00:00:00.123456789Z" },
  ],
  ["extensions", structuredType, { ...required, flag: true, count: 7, text: "ü" }],
] as const) {
  test(`a structured event with ${what} is kept as it was sent`, async () => {
    assert.deepEqual(await read({ "content-type": type }, JSON.stringify(sent))?.read(), sent);
  });
}

for (const [what, headers, body, expected] of [
  ["JSON", { "content-type": "application/json" }, '{"a":1}', { data: { a: 1 } }],
  ["JSON null", { "content-type": "application/json" }, "null", { data: null }],
  ["JSON by suffix", { "content-type": "application/vnd.x+json" }, "[1]", { data: [1] }],
  ["a charset", { "content-type": "application/json;charset=utf-8" }, '"é"', { data: "é" }],
  ["text", { "content-type": "text/plain" }, "héllo", { data: "héllo" }],
  [
    "text in Latin-1",
    { "content-type": "text/plain; charset=iso-8859-1" },
    Buffer.from("h\xe9", "latin1"),
    { data: "hé" },
  ],
  [
    "broken text",
    { "content-type": "text/plain" },
    Buffer.from([255, 254]),
    { data_base64: "//4=" },
  ],
  [
    "bytes",
    { "content-type": "application/octet-stream" },
    Buffer.from([255, 254, 128]),
    { data_base64: "//6A" },
  ],
  ["an image", { "content-type": "image/png" }, Buffer.from("png"), { data_base64: "cG5n" }],
  ["no type", {}, "text", { data: "text" }],
  ["nothing", { "content-type": "application/json" }, "", {}],
  ["an escaped attribute", { "ce-subject": "Gr%C3%BC%C3%9Fe%25" }, "", { subject: "Grüße%" }],
  ["a quoted attribute", { "ce-subject": '"a \\"b\\""' }, "", { subject: 'a "b"' }],
  [
    "UTF-8 bytes in a header",
    { "ce-subject": Buffer.from("ü").toString("latin1") },
    "",
    { subject: "ü" },
  ],
] as const) {
  test(`a binary event with ${what} is read`, async () => {
    const event = await read({ ...ce, ...headers }, body)?.read();
    const type = "content-type" in headers ? { datacontenttype: headers["content-type"] } : {};
    assert.deepEqual(event, { ...required, ...type, ...expected });
  });
}

for (const [what, headers, body, pattern] of [
  ["another version", { ...ce, "ce-specversion": "2.0" }, "", /specversion 2\.0 is not taken/],
  ["a time in words", { ...ce, "ce-time": "yesterday" }, "", /time=yesterday is not in RFC 3339/],
  ["a date only", { ...ce, "ce-time": "2026-01-01" }, "", /RFC 3339/],
  ["a day that February lacks", { ...ce, "ce-time": "2026-02-29T00:00:00Z" }, "", /RFC 3339/],
  ["hour 24", { ...ce, "ce-time": "2026-01-01T24:00:00Z" }, "", /RFC 3339/],
  ["an offset of 25 hours", { ...ce, "ce-time": "2026-01-01T00:00:00+25:00" }, "", /RFC 3339/],
  [
    "data twice",
    structuredHeaders,
    JSON.stringify({ ...required, data: 1, data_base64: "AA==" }),
    /exclude each other/,
  ],
  [
    "broken base64",
    structuredHeaders,
    JSON.stringify({ ...required, data_base64: "%%%" }),
    /data_base64 is not base64/,
  ],
  [
    "an object for an extension",
    structuredHeaders,
    JSON.stringify({ ...required, ext: {} }),
    /ext has a value/,
  ],
  [
    "a fraction for an extension",
    structuredHeaders,
    JSON.stringify({ ...required, ext: 0.5 }),
    /ext has a value/,
  ],
  [
    "a batch",
    { "content-type": "application/cloudevents-batch+json" },
    "[]",
    /a batch is not taken/,
  ],
  [
    "another format",
    { "content-type": "application/cloudevents+avro" },
    "x",
    /format .*avro is not taken/,
  ],
  ["an array", { "content-type": structuredType }, "[]", /a JSON object is expected/],
  ["null", { "content-type": structuredType }, "null", /a JSON object is expected/],
  ["no body", { "content-type": structuredType }, "", /a JSON object is expected/],
  ["no id", { ...ce, "ce-id": "" }, "", /the attribute id is missing/],
  ["only an id", { "ce-id": "1" }, "", /the attribute specversion is missing/],
  [
    "an attribute in capitals",
    { "content-type": structuredType },
    JSON.stringify({ ...required, Abc: 1 }),
    /not a CloudEvent/,
  ],
] as const) {
  test(`an event with ${what} is refused, and says why`, async () => {
    const reading = read(headers, body)?.read() ?? assert.fail("it brings no event");
    await assert.rejects(reading, { code: "ERR_BAD_REQUEST", message: pattern });
  });
}

test("a request without an event's headers brings none", () => {
  assert.equal(read({ "content-type": "application/json" }, "{}"), undefined);
  assert.equal(read({ "ce-other": "x" }, ""), undefined);
});

test("the key joins source and id, and the headers that travel are those in the event", () => {
  const event = read({ ...ce, "ce-xrequestid": "r1", traceparent: "other" }, "");
  assert.equal(event?.key, "/s 1");
  assert.deepEqual(event?.headers, { "x-request-id": "r1" });
});
