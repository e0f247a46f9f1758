/**
 * What CloudEvents 1.0.2 demands (MUST) of those that receive and send: its JSON format, HTTP binding and AMQP
 * binding, by their sections. A function is a receiver over HTTP; it sends by the queue, as AMQP 0.9.1, where the
 * binding's application-properties are headers with the prefix "ce-" that Knative's RabbitmqSource reads.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { receiveEvent } from "#host/events/event";
import { eventToMessage } from "#host/events/event-message";
import type { EventJson } from "#host/events/event-rules";
import { parseBody } from "#host/http/body";
import { messageToRequest } from "../../bridge/event-request.ts";

const required = { specversion: "1.0", id: "1", source: "/s", type: "t" };
const ce = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" };
const structured = { "content-type": "application/cloudevents+json" };
const json = { "content-type": "application/json" };

async function receive(
  headers: Record<string, string>,
  body: string | Buffer = "",
): Promise<EventJson> {
  const bytes = Buffer.from(body);
  const distinct = Object.entries(headers).map(([name, value]) => [name, [value]]);
  const request = { headers, headersDistinct: Object.fromEntries(distinct) };
  const event = receiveEvent(request, parseBody(bytes, headers["content-type"]));
  return event?.read() ?? assert.fail("it brings no event");
}

const receiveJson = (event: object) => receive(structured, JSON.stringify(event));

for (const [section, demand, event, expected] of [
  ["JSON 2.2", "Boolean, Integer and String are JSON's own", { a: true, b: -5, c: "x" }, undefined],
  ["JSON 2.2", "Binary is a base64 string", { bin: "//6A" }, undefined],
  [
    "JSON 2.2",
    "URI, URI-reference and Timestamp are strings",
    { dataschema: "http://a/b", time: "2026-01-01T00:00:00.5+01:00" },
    undefined,
  ],
  ["JSON 2.3", "an unset attribute may be null", { subject: null }, undefined],
  ["JSON 3", "extensions are members like all others", { myext: "1" }, undefined],
  ["JSON 3.1", "binary data is data_base64", { data_base64: "AAE=" }, undefined],
  ["JSON 3.1", "other data is any JSON value", { data: [{ a: null }, 1.5, "x"] }, undefined],
  [
    "JSON 3.1",
    "data that is a string stays one, whatever its type",
    { datacontenttype: "text/xml", data: "<a/>" },
    undefined,
  ],
  [
    "JSON 3.1",
    "data and data_base64 exclude each other",
    { data: 1, data_base64: "AAE=" },
    /exclude each other/,
  ],
  ["JSON 2.2", "an Integer has 32 bits", { b: 2_147_483_648 }, /b has a value/],
  ["JSON 2.2", "an attribute is no object", { b: {} }, /b has a value/],
  [
    "CloudEvents 3.1",
    "a String has no control characters",
    { subject: "\n" },
    /subject has a value/,
  ],
  ["CloudEvents 3.1", "names are lower-case letters and digits", { a_b: "1" }, /a_b/],
  ["CloudEvents 3.1", "a Timestamp is of RFC 3339", { time: "2026-01-01T00:00Z" }, /RFC 3339/],
  ["CloudEvents 3.1.1", "id, source and type are not empty", { type: "" }, /type is missing/],
  ["CloudEvents 3.1.1", "source is a URI-reference", { source: "a b" }, /source/],
  ["CloudEvents 3.1.2", "dataschema is a URI", { dataschema: "a b" }, /dataschema/],
  ["CloudEvents 3.1.2", "subject is not empty", { subject: "" }, /subject/],
  ["CloudEvents 3.1.2", "datacontenttype is a media type", { datacontenttype: "x" }, /media type/],
] as const) {
  test(`${section}: ${demand}`, async () => {
    const sent = { ...required, ...event };
    if (expected)
      await assert.rejects(receiveJson(sent), { code: "ERR_BAD_REQUEST", message: expected });
    else assert.deepEqual(await receiveJson(sent), sent);
  });
}

for (const [section, demand, headers, body, expected] of [
  [
    "HTTP 3",
    "a media type application/cloudevents is structured mode, in any case",
    { "content-type": "APPLICATION/cloudevents+JSON" },
    JSON.stringify({ ...required, data: 1 }),
    { data: 1 },
  ],
  [
    "HTTP 3.1.1",
    "content-type is datacontenttype",
    { ...ce, ...json },
    "1",
    { datacontenttype: "application/json", data: 1 },
  ],
  [
    "HTTP 3.1.2",
    "the body is data, as the content-type has it",
    { ...ce, "content-type": "application/x" },
    Buffer.from([0, 255]),
    { datacontenttype: "application/x", data_base64: "AP8=" },
  ],
  [
    "HTTP 3.1.3.1",
    "attributes are headers with the prefix ce-",
    { ...ce, "ce-ext": "v" },
    "",
    { ext: "v" },
  ],
  [
    "HTTP 3.1.3.2",
    "a value is unquoted first",
    { ...ce, "ce-ext": '"a \\\\ b"' },
    "",
    { ext: "a \\ b" },
  ],
  [
    "HTTP 3.1.3.2",
    "a value is percent-decoded once",
    { ...ce, "ce-ext": "%2541%F0%9F%98%80" },
    "",
    { ext: "%41\u{1F600}" },
  ],
  ["HTTP 3.1.3.2", "hex digits of either case", { ...ce, "ce-ext": "%c3%BC" }, "", { ext: "ü" }],
  [
    "HTTP 3.2",
    "of a structured event the body counts, not the headers",
    { ...structured, "ce-id": "9" },
    JSON.stringify(required),
    {},
  ],
] as const) {
  test(`${section}: ${demand}`, async () => {
    assert.deepEqual(await receive(headers, body), { ...required, ...expected });
  });
}

test("HTTP 3.3: a batch is refused by one that does not take batches", async () => {
  const headers = { "content-type": "application/cloudevents-batch+json" };
  await assert.rejects(receive(headers, "[]"), { code: "ERR_BAD_REQUEST", message: /batch/ });
});

for (const [section, demand, event, headers, content] of [
  [
    "AMQP 3.1.1",
    "datacontenttype is the content type",
    { data: 1, datacontenttype: "application/json" },
    { "content-type": "application/json" },
    "1",
  ],
  [
    "JSON 3.1",
    "data without a type goes out as JSON",
    { data: { a: 1 } },
    { "content-type": "application/json" },
    '{"a":1}',
  ],
  [
    "AMQP 3.1.2",
    "data is the message's content, as its type has it",
    { data: "<a/>", datacontenttype: "text/xml" },
    {},
    "<a/>",
  ],
  [
    "AMQP 3.1.2",
    "binary data is the message's content, decoded",
    { data_base64: "YWI=", datacontenttype: "a/b" },
    {},
    "ab",
  ],
  [
    "AMQP 3.1.3",
    "attributes are properties with a prefix",
    { subject: "s", myext: 5 },
    { "ce-subject": "s", "ce-myext": "5" },
    "",
  ],
  [
    "AMQP 3.1.3.1",
    "an attribute that is unset is left out",
    { subject: null },
    { "ce-subject": undefined },
    "",
  ],
  [
    "HTTP 3.1.3.2",
    "what HTTP escapes is escaped for the source",
    { subject: 'ü %"' },
    { "ce-subject": "%C3%BC%20%25%22" },
    "",
  ],
] as const) {
  test(`${section}: ${demand}`, () => {
    const message = eventToMessage({ ...required, ...event } as unknown as EventJson);
    assert.equal(message.content.toString(), content);
    for (const [name, value] of Object.entries(headers)) {
      assert.equal((message.headers as Record<string, unknown>)[name], value, name);
    }
  });
}

test("AMQP 3.2: a message of the type application/cloudevents+json is in structured mode", () => {
  const content = Buffer.from(
    JSON.stringify({ ...required, data: { a: 1 }, datacontenttype: "application/json" }),
  );
  const properties = { contentType: "application/cloudevents+json; charset=utf-8" };
  const { headers, body } = messageToRequest({ content, properties }, "queue");
  assert.partialDeepStrictEqual(headers, { ...ce, ...json });
  assert.equal(body.toString(), '{"a":1}');
});
