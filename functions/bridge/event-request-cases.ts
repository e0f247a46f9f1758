/**
 * Messages, and the request that Knative's RabbitmqSource makes of each, for the source "service-d" of queue "service-d"
 * in namespace "default". A real source (eventing-rabbitmq 1.21, cloudevents/sdk-go 2.16) made just these of them.
 */
import type { DeliveredMessage } from "./event-request.ts";

export interface EventMessageCase {
  title: string;
  message: DeliveredMessage;
  /** Names in lower case; `now` and `fresh` stand for what is made up. Absent where the message is dead-lettered. */
  request?: { headers: Record<string, string>; body: string };
}

export const queue = "service-d";
export const now = "(now)";
export const fresh = "(a new id)";
const source = "/apis/v1/namespaces/default/rabbitmqsources/service-d#service-d";
const required = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" };
const typed = (type: string) => ({ ...required, "content-type": type });
const json = '{"a":1}';

function binary(
  title: string,
  headers: Record<string, unknown>,
  expected = headers as Record<string, string>,
  content = json,
): EventMessageCase {
  const properties = { contentType: "application/json", headers };
  const request = { headers: { "ce-time": now, ...expected }, body: content };
  return { title, message: { content: Buffer.from(content), properties }, request };
}

function structured(
  title: string,
  event: unknown,
  headers?: Record<string, string>,
  body = "",
  contentType = "application/cloudevents+json",
): EventMessageCase {
  const content = Buffer.from(typeof event === "string" ? event : JSON.stringify(event));
  return {
    title,
    message: { content, properties: { contentType } },
    ...(headers && { request: { headers: { "ce-time": now, ...headers }, body } }),
  };
}

function plain(
  title: string,
  properties: DeliveredMessage["properties"],
  expected: Record<string, string>,
  content = "text",
): EventMessageCase {
  const made = { "ce-specversion": "1.0", "ce-source": source, "ce-time": now };
  const headers = { ...made, "ce-type": "dev.knative.rabbitmq.event", ...expected };
  return {
    title,
    message: { content: Buffer.from(content), properties },
    request: { headers, body: content },
  };
}

const event = { specversion: "1.0", id: "1", source: "/s", type: "t" };
const octets = "application/octet-stream";
const capitals = "Application/CloudEvents+JSON ; charset=utf-8";
const inUtf8 = "application/json; charset=utf-8";

/** Structured events: title, what they have besides the required attributes, and the request. */
const read: readonly [string, object, Record<string, string>, string][] = [
  [
    "JSON",
    { datacontenttype: "application/json", data: { a: 1 } },
    typed("application/json"),
    json,
  ],
  ["JSON without datacontenttype, which gets none", { data: { a: 1 } }, required, json],
  ["a string as JSON", { datacontenttype: inUtf8, data: "hi" }, typed(inUtf8), '"hi"'],
  ["null as JSON", { datacontenttype: inUtf8, data: null }, typed(inUtf8), "null"],
  ["text", { datacontenttype: "text/plain", data: "hi" }, typed("text/plain"), "hi"],
  ["bytes", { datacontenttype: octets, data_base64: "AQID" }, typed(octets), "\u0001\u0002\u0003"],
  ["no data", {}, required, ""],
  ["no id, for which one is made up", { id: undefined }, { ...required, "ce-id": fresh }, ""],
  ["version 0.3", { specversion: "0.3" }, { ...required, "ce-specversion": "0.3" }, ""],
];

/** Structured events that the source cannot read. */
const refused: readonly [title: string, event: unknown][] = [
  ["content that is not JSON", "{oops"],
  ["JSON that is no object", "[]"],
  ["null", "null"],
  ["a structured event without specversion", { id: "1" }],
  ["a structured event of an unknown version", { ...event, specversion: "2.0" }],
  ["an id that is no string", { ...event, id: 5 }],
  ["a time that is none", { ...event, time: "yesterday" }],
  ["a structured event without type", { ...event, type: undefined }],
  ["a structured event without source", { ...event, source: undefined }],
  ["an attribute that is an object", { ...event, o: { a: 1 } }],
  ["a number of more than 32 bits", { ...event, n: 3_000_000_000 }],
  ["an attribute's name with a dash", { ...event, "a-b": "x" }],
  [
    "data that is no string, though said to be text",
    { ...event, datacontenttype: "text/plain", data: 5 },
  ],
  ["data of JSON of another name", { ...event, datacontenttype: "application/x+json", data: {} }],
  ["data_base64 that is not base64", { ...event, data_base64: "%%" }],
];

/** Binary events that the source cannot send: their headers besides the required ones. */
const unsendable: readonly [title: string, more: Record<string, string>][] = [
  ["a binary event with an empty id", { "ce-id": "" }],
  ["a binary event with an empty type", { "ce-type": "" }],
  ["a binary event with a time that is none", { "ce-time": "yesterday" }],
  ["an attribute's name with a dash, in a header", { "ce-a-b": "x" }],
  ["a header name that HTTP does not allow", { "ce-a b": "v" }],
  ["a header value that HTTP does not allow", { "ce-a": "v\nw" }],
];

export const cases: readonly EventMessageCase[] = [
  binary(
    "a binary event with the header content-type",
    { ...typed("application/json"), "ce-time": "2026-01-01T00:00:00.000Z" },
    { ...typed("application/json"), "ce-time": "2026-01-01T00:00:00Z" },
  ),
  binary("ce-datacontenttype", { ...required, "ce-datacontenttype": "a/b" }, typed("a/b")),
  binary("a binary event with the property content-type only, which is lost", required, required),
  binary(
    "a binary event whose headers have no prefix, or capitals",
    { SPECVERSION: "1.0", id: "1", "CE-Source": "/s", type: "t", "Content-Type": "text/plain" },
    typed("text/plain"),
  ),
  binary("a binary event of version 0.3", { ...required, "ce-specversion": "0.3" }),
  binary(
    "a binary event without source, which gets the queue's",
    { "ce-specversion": "1.0", "ce-id": "1", "ce-type": "t" },
    { "ce-specversion": "1.0", "ce-id": "1", "ce-type": "t", "ce-source": source },
  ),
  binary("a binary event without content", required, required, ""),
  binary(
    "a broker's x- headers, which are dropped",
    { ...required, "x-death": "1", "X-Other": "2", "ce-x-third": "3" },
    required,
  ),
  binary(
    "bare trace headers, which are dropped, and the event's own, which are kept",
    {
      ...required,
      traceparent: "00-bare",
      tracestate: "bare",
      "ce-traceparent": "00-own",
      "ce-tracestate": "own=1",
    },
    { ...required, "ce-traceparent": "00-own", "ce-tracestate": "own=1" },
  ),
  binary(
    "header values that are no strings, as Go prints them",
    {
      ...required,
      "ce-int": 5,
      "ce-bool": true,
      "ce-null": null,
      "ce-list": ["a", ["b", true, null]],
      "ce-table": { b: { c: "d" }, a: ["x"] },
      "ce-when": { "!": "timestamp", value: 1_700_000_000 },
    },
    {
      ...required,
      "ce-int": "5",
      "ce-bool": "true",
      "ce-null": "<nil>",
      "ce-list": "[a [b true <nil>]]",
      "ce-table": "map[a:[x] b:map[c:d]]",
      "ce-when": "2023-11-14 22:13:20 +0000 UTC",
    },
  ),
  binary("values that are not ASCII, sent as UTF-8", { ...required, "ce-subject": "é €" }),
  binary("an empty subject, which is left out", { ...required, "ce-subject": "" }, required),
  plain(
    "a message that is no event",
    {
      contentType: "text/plain",
      messageId: "m",
      timestamp: 1_700_000_000,
      headers: { foo: "bar" },
    },
    {
      "ce-id": "m",
      "ce-subject": "m",
      "ce-time": "2023-11-14T22:13:20Z",
      "content-type": "text/plain",
    },
  ),
  plain(
    "a message with nothing but an id",
    { messageId: "m" },
    { "ce-id": "m", "ce-subject": "m" },
  ),
  plain(
    "a message that says JSON, whether it is or not",
    { contentType: "application/json", messageId: "m" },
    { "ce-id": "m", "ce-subject": "m", "content-type": "application/json" },
    "not json",
  ),
  plain(
    "an event of an unknown version, which counts as none",
    {
      contentType: "text/plain",
      messageId: "m",
      headers: { ...required, "ce-specversion": "2.0" },
    },
    { "ce-id": "m", "ce-subject": "m", "content-type": "text/plain" },
  ),
  ...read.map(([title, more, headers, body]) =>
    structured(`a structured event: ${title}`, { ...event, ...more }, headers, body),
  ),
  structured("a content type in capitals and with a parameter", event, required, "", capitals),
  structured(
    "a structured event with attributes of every type",
    {
      ...event,
      n: 5,
      f: -1.9,
      b: true,
      nul: null,
      empty: "",
      subject: "",
      Upper: "v",
      traceparent: "00-own",
      time: "2026-01-01T00:00:00.500+02:00",
      dataschema: "http://x/y",
    },
    {
      ...required,
      "ce-n": "5",
      "ce-f": "-1",
      "ce-b": "true",
      "ce-empty": "",
      "ce-upper": "v",
      "ce-traceparent": "00-own",
      "ce-time": "2025-12-31T22:00:00.5Z",
      "ce-dataschema": "http://x/y",
    },
    "",
  ),
  ...refused.map(([title, event]) => structured(title, event)),
  structured("a batch", [event], undefined, "", "application/cloudevents-batch+json"),
  ...unsendable.map(([title, more]) => ({
    title,
    message: { content: Buffer.from(json), properties: { headers: { ...required, ...more } } },
  })),
];
