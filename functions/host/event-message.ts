/**
 * A CloudEvent as an AMQP 0.9.1 message, and back as the HTTP request that Knative's RabbitmqSource
 * sends for that message (knative-extensions/eventing-rabbitmq, pkg/rabbit/message.go):
 * binary mode over HTTP whatever came in, and a message that is no CloudEvent made into one.
 */
import { type CloudEvent, HTTP } from "cloudevents";

export interface EventMessage {
  content: Buffer;
  headers: Record<string, string>;
  properties: { contentType: string; messageId: string; timestamp: number; type: string };
}

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
 * Binary mode with headers "ce-…". All of them are strings, since the source prints other values
 * as Go does; and the content type is a header too, because the source ignores the property.
 */
export function eventToMessage(event: CloudEvent<unknown>): EventMessage {
  const { headers, body } = HTTP.binary(event);
  const text = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  return {
    content: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    headers: { ...Object.fromEntries(text), "content-type": event.datacontenttype ?? "" },
    properties: {
      contentType: event.datacontenttype ?? "",
      messageId: event.id,
      timestamp: Math.floor(Date.parse(event.time ?? "") / 1_000),
      type: event.type,
    },
  };
}

/**
 * The source's request for a message. `queue` is where it came from, for the attributes that a
 * message which is no CloudEvent does not have. Throws when a structured event cannot be read;
 * the source dead-letters such a message.
 */
export function messageToRequest(message: DeliveredMessage, queue: string): EventRequest {
  const { content, properties } = message;
  const contentType = text(properties.contentType);
  const attributes = attributesOf(properties.headers ?? {});
  attributes.source ??= sourceOf(queue);

  if (/^application\/cloudevents\+json\s*(;|$)/i.test(contentType)) {
    return structuredToRequest(content);
  }
  if (attributes.specversion === "1.0" || attributes.specversion === "0.3") {
    const { "content-type": type = attributes.datacontenttype, ...rest } = attributes;
    const kept = Object.entries(rest).filter(
      ([name]) => !name.startsWith("x-") && name !== "datacontenttype",
    );
    return binaryRequest(Object.fromEntries(kept), type, content);
  }
  const id = text(properties.messageId) || crypto.randomUUID();
  const seconds = Number(properties.timestamp ?? Number.NaN);
  const time = Number.isFinite(seconds) ? { time: goTime(seconds * 1_000) } : {};
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

function structuredToRequest(content: Buffer): EventRequest {
  const event: unknown = JSON.parse(content.toString());
  if (typeof event !== "object" || event === null || !("specversion" in event)) {
    throw new TypeError("a structured CloudEvent is a JSON object with a specversion");
  }
  const { data, data_base64: base64, datacontenttype, ...attributes } = event as Structured;
  const strings = Object.entries(attributes).map(([name, value]) => [name, text(value)]);
  const body =
    base64 === undefined ? dataBytes(data, datacontenttype) : Buffer.from(base64, "base64");
  return binaryRequest(Object.fromEntries(strings), datacontenttype ?? "application/json", body);
}

/** The JSON format's members that are no attributes like the others. */
interface Structured {
  [attribute: string]: unknown;
  datacontenttype?: string;
  data_base64?: string;
}

function dataBytes(data: unknown, type: string | undefined): Buffer {
  if (data === undefined) return Buffer.alloc(0);
  const isJson = type === undefined || /\bjson\b/i.test(type);
  return Buffer.from(typeof data === "string" && !isJson ? data : JSON.stringify(data));
}

function binaryRequest(
  attributes: Record<string, string>,
  contentType: string | undefined,
  body: Buffer,
): EventRequest {
  const headers = Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value]);
  return {
    headers: {
      ...Object.fromEntries(headers),
      ...(contentType && { "content-type": contentType }),
    },
    body,
  };
}

/** As Go's fmt.Sprint shows what an AMQP table can hold. */
function text(value: unknown): string {
  if (value === undefined || value === null) return value === null ? "<nil>" : "";
  return String(value);
}

/** RFC 3339 without a fraction of zero, as Go prints it. */
function goTime(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}
