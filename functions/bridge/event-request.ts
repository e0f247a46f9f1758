/**
 * The HTTP request that Knative's RabbitmqSource sends for an AMQP message (knative-extensions/eventing-rabbitmq,
 * pkg/rabbit/message.go): binary mode over HTTP whatever came in, and a message that is no CloudEvent
 * made into one.
 */
import { validateHeaderName, validateHeaderValue } from "node:http";
import { parseMediaType } from "#host/base/media-type";
import { isBase64, isTimestamp } from "#host/events/event-rules";

/** The parts of a delivered AMQP message that are read here. */
export interface DeliveredMessage {
  content: Buffer;
  properties: {
    headers?: Record<string, unknown> | undefined;
    contentType?: unknown;
    messageId?: unknown;
    timestamp?: unknown;
  };
}

export interface EventRequest {
  headers: Record<string, string>;
  body: Buffer;
}

/**
 * The source's request for a message. `queue` is where it came from, for the attributes that a
 * message which is no CloudEvent does not have. Throws where the source cannot make a request of it,
 * and dead-letters the message.
 */
export function messageToRequest(message: DeliveredMessage, queue: string): EventRequest {
  const { content, properties } = message;
  const contentType = text(properties.contentType ?? "");
  const media = parseMediaType(contentType).essence;
  if (media === "application/cloudevents+json") return structuredToRequest(content);
  if (media === "application/cloudevents-batch+json") {
    throw new TypeError("a batch is not taken, send one event a message");
  }
  const attributes = attributesOf(properties.headers ?? {});
  attributes.source ??= sourceOf(queue);
  if (isVersion(attributes.specversion)) {
    const { "content-type": type = attributes.datacontenttype, ...rest } = attributes;
    const kept = Object.entries(rest).filter(
      ([name]) => !name.startsWith("x-") && name !== "datacontenttype",
    );
    return binaryRequest(Object.fromEntries(kept), type, content);
  }
  const id = text(properties.messageId ?? "") || crypto.randomUUID();
  const seconds = Number(properties.timestamp ?? Number.NaN);
  const time = Number.isFinite(seconds) ? { time: new Date(seconds * 1_000).toISOString() } : {};
  const made = { specversion: "1.0", id, type: "dev.knative.rabbitmq.event", subject: id };
  return binaryRequest({ ...made, source: sourceOf(queue), ...time }, contentType, content);
}

/** RabbitmqEventSource in pkg/apis/sources/v1alpha1, for a source named like its queue. */
function sourceOf(queue: string): string {
  return `/apis/v1/namespaces/default/rabbitmqsources/${queue}#${queue}`;
}

/** Lower case, without "ce-"; the broker's own trace headers are dropped, the event's are kept. */
function attributesOf(headers: Record<string, unknown>): Record<string, string> {
  const entries = Object.entries(headers).filter(
    ([name]) => name !== "traceparent" && name !== "tracestate",
  );
  return Object.fromEntries(
    entries.map(([name, value]) => [name.toLowerCase().replace(/^ce-/, ""), text(value)]),
  );
}

/** The JSON format as sdk-go reads it (v2/event/event_unmarshal.go). */
function structuredToRequest(content: Buffer): EventRequest {
  const event = JSON.parse(content.toString()) as Record<string, unknown> | null;
  if (!isVersion(event?.specversion)) {
    throw new TypeError(
      "a structured CloudEvent is a JSON object with a specversion of 1.0 or 0.3",
    );
  }
  const { data, data_base64: base64, datacontenttype, ...attributes } = event ?? {};
  const type = stringOf("datacontenttype", datacontenttype);
  const entries = Object.entries(attributes).flatMap(([name, value]) => {
    const shown = attributeText(name, value);
    return shown === undefined ? [] : [[name.toLowerCase(), shown]];
  });
  const body = base64 === undefined ? dataBytes(data, type) : base64Bytes(base64);
  return binaryRequest(Object.fromEntries(entries), type, body);
}

const strings = new Set(["specversion", "id", "source", "type", "subject", "dataschema", "time"]);

/** As an HTTP header shows it; undefined where that is left out. */
function attributeText(name: string, value: unknown): string | undefined {
  if (strings.has(name)) return stringOf(name, value);
  if (value === null) return undefined;
  if (typeof value === "string" || typeof value === "boolean") return String(value);
  // The type system of CloudEvents has whole numbers of 32 bits only; sdk-go cuts a fraction off.
  const whole = Math.trunc(value as number);
  if (typeof value === "number" && whole === (whole | 0)) return String(whole);
  throw new TypeError(`${name} has a value that an attribute cannot have`);
}

/** Undefined for an empty one, which the source leaves out. */
function stringOf(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw new TypeError(`${name} is no string`);
  return value || undefined;
}

function dataBytes(data: unknown, type: string | undefined): Buffer {
  if (data === undefined) return Buffer.alloc(0);
  const isJson =
    type === undefined || /^(application|text)\/json$/.test(parseMediaType(type).essence);
  if (isJson) return Buffer.from(JSON.stringify(data));
  return Buffer.from(stringOf(`data of type ${type}`, data) ?? "");
}

function base64Bytes(text: unknown): Buffer {
  if (!isBase64(text)) throw new TypeError("data_base64 is not base64");
  return Buffer.from(text, "base64");
}

function binaryRequest(
  attributes: Record<string, string>,
  contentType: string | undefined,
  body: Buffer,
): EventRequest {
  const headers = Object.entries(complete(attributes)).map(([name, value]) => [
    `ce-${name}`,
    value,
  ]);
  if (contentType) headers.push(["content-type", contentType]);
  // Go sends UTF-8; node:http sends each character as the byte of that number.
  const onTheWire = headers.map(([name = "", value = ""]) => {
    const bytes = Buffer.from(value).toString("latin1");
    validateHeaderName(name);
    validateHeaderValue(name, bytes);
    return [name, bytes];
  });
  return { headers: Object.fromEntries(onTheWire), body };
}

/** As the source's client sends it: what may be made up is, and what is no event is refused (sdk-go, client/client.go). */
function complete({ id, time, subject, ...attributes }: Record<string, string>) {
  const needed = { id: id ?? crypto.randomUUID(), type: "", source: "", ...attributes };
  for (const [name, value] of Object.entries(needed)) {
    if (!/^[a-z\d]+$/.test(name)) throw new TypeError(`${name} is no name of an attribute`);
    if (/^(id|type|source)$/.test(name) && !value.trim()) throw new TypeError(`${name} is empty`);
  }
  return { ...needed, time: goTime(time || new Date().toISOString()), ...(subject && { subject }) };
}

function isVersion(value: unknown): boolean {
  return value === "1.0" || value === "0.3";
}

/** As Go's fmt.Sprint shows what a table of AMQP can hold and amqplib makes of it. */
function text(value: unknown): string {
  if (value === null) return "<nil>";
  if (Buffer.isBuffer(value)) return `[${value.join(" ")}]`;
  if (Array.isArray(value)) return `[${value.map(text).join(" ")}]`;
  if (typeof value !== "object") return String(value);
  const { "!": kind, value: seconds } = value as { "!"?: string; value?: unknown };
  if (kind === "timestamp") {
    const iso = new Date(Number(seconds) * 1_000).toISOString();
    return `${iso.slice(0, 10)} ${iso.slice(11, 19)} +0000 UTC`;
  }
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([name, inner]) => `${name}:${text(inner)}`).join(" ")}]`;
}

/** RFC 3339 in UTC and without zeros at the fraction's end, as Go prints it. */
function goTime(time: string): string {
  const match = /^[\d-]{10}T[\d:]{8}(\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.exec(time);
  const ms = Date.parse(time);
  if (!match || !isTimestamp(time) || Number.isNaN(ms))
    throw new TypeError(`time=${time} is not in RFC 3339 format`);
  const fraction = (match[1] ?? "").replace(/\.?0+$/, "");
  return `${new Date(ms).toISOString().slice(0, 19)}${fraction}Z`;
}
