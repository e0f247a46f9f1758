/** A CloudEvent as an AMQP 0.9.1 message, in the form that Knative's RabbitmqSource keeps. */
import { encodeAttribute } from "../base/attributes.ts";
import { isJson, parseMediaType } from "../base/media-type.ts";
import { isShort } from "./encodable.ts";
import type { EventJson } from "./event-rules.ts";

export interface EventMessage {
  content: Buffer;
  headers: Record<string, string>;
  properties: { contentType: string; messageId?: string; timestamp?: number; type?: string };
}

/**
 * Binary mode with headers "ce-…". All of them are strings, since the source prints other values
 * as Go does; and the content type is a header too, because the source ignores the property. Their values are
 * percent-encoded: the source hands them on as they are to HTTP, where they are read as HTTP's binding has it.
 */
export function eventToMessage(event: EventJson): EventMessage {
  const { data, data_base64: base64, datacontenttype: _, ...attributes } = event;
  const datacontenttype = typeOf(event);
  const headers = Object.entries(attributes).flatMap(([name, value]) =>
    value === undefined || value === null ? [] : [[`ce-${name}`, encodeAttribute(String(value))]],
  );
  const seconds = Math.floor(Date.parse(event.time ?? "") / 1_000);
  return {
    content:
      base64 === undefined ? contentOf(data, datacontenttype) : Buffer.from(base64, "base64"),
    headers: { ...Object.fromEntries(headers), "content-type": datacontenttype },
    properties: {
      // What is longer is in the headers alone.
      contentType: isShort(datacontenttype) ? datacontenttype : "",
      ...(isShort(event.id) && { messageId: event.id }),
      ...(seconds >= 0 && { timestamp: seconds }),
      ...(isShort(event.type) && { type: event.type }),
    },
  };
}

/** Data without a type is JSON in the JSON format, and is to be called so elsewhere (JSON format, 3.1); text goes out as UTF-8. */
function typeOf({ data, data_base64: base64, datacontenttype: type }: EventJson): string {
  if (base64 !== undefined) return type ?? "";
  if (data !== undefined && !type) return "application/json";
  return (type ?? "").replace(/(;\s*charset=)("?)[^;"]+\2/i, "$1utf-8");
}

function contentOf(data: unknown, type: string): Buffer {
  if (data === undefined) return Buffer.alloc(0);
  const isText = typeof data === "string" && !isJson(parseMediaType(type).essence);
  return Buffer.from(isText ? data : JSON.stringify(data));
}
