/** A CloudEvent as an AMQP 0.9.1 message, in the form that Knative's RabbitmqSource keeps. */
import { isJson, parseMediaType } from "../base/media-type.ts";
import type { EventJson } from "./event.ts";

export interface EventMessage {
  content: Buffer;
  headers: Record<string, string>;
  properties: { contentType: string; messageId: string; timestamp: number; type: string };
}

/**
 * Binary mode with headers "ce-…". All of them are strings, since the source prints other values
 * as Go does; and the content type is a header too, because the source ignores the property.
 */
export function eventToMessage(event: EventJson): EventMessage {
  const { data, data_base64: base64, datacontenttype = "", ...attributes } = event;
  const headers = Object.entries(attributes).flatMap(([name, value]) =>
    value === undefined || value === null ? [] : [[`ce-${name}`, String(value)]],
  );
  return {
    content:
      base64 === undefined ? contentOf(data, datacontenttype) : Buffer.from(base64, "base64"),
    headers: { ...Object.fromEntries(headers), "content-type": datacontenttype },
    properties: {
      contentType: datacontenttype,
      messageId: event.id,
      timestamp: Math.floor(Date.parse(event.time ?? "") / 1_000),
      type: event.type,
    },
  };
}

/** Without a type data is JSON, as in the JSON format. */
function contentOf(data: unknown, type: string): Buffer {
  if (data === undefined) return Buffer.alloc(0);
  const isText = typeof data === "string" && type !== "" && !isJson(parseMediaType(type).essence);
  return Buffer.from(isText ? data : JSON.stringify(data));
}
