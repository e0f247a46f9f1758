/**
 * The CloudEvent of an HTTP request, read once for everything that needs it: its place in the trace, its
 * faults, the handler. Follows CloudEvents 1.0.2, its JSON format and its HTTP binding; the SDK validates.
 */
import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { attributeEntries } from "../base/attributes.ts";
import type { HostError } from "../base/errors.ts";
import { headersFromEvent, type PropagatedHeaders } from "../base/headers.ts";
import { decodeText, parseMediaType } from "../base/media-type.ts";
import { type EventJson, refusal, validated } from "./event-rules.ts";

export interface ReceivedEvent {
  /** Source and id, which together are unique (CloudEvents 1.0). Empty parts where they are missing. */
  readonly key: string;
  /** As far as they could be read, even of an event that is refused. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The propagated headers that travel in the event. */
  readonly headers: PropagatedHeaders;
  /** The event; rejects with an ERR_BAD_REQUEST that says what is wrong with it. */
  read(): Promise<EventJson>;
}

/** A request's body, read and parsed once. */
export interface Body {
  readonly bytes: Buffer;
  /** Its value where its media type is JSON; undefined for other types, and where it is empty. */
  readonly json: unknown;
}

/** The headers of a request, as Node hands them out; `headersDistinct` shows which came more than once. */
type Request = Pick<IncomingMessage, "headers" | "headersDistinct">;

/** Undefined for a request that brings no event, by its headers (HTTP binding, 3). */
export function receiveEvent(request: Request, body: Body): ReceivedEvent | undefined {
  const { headers } = request;
  const { essence } = parseMediaType(headers["content-type"]);
  if (essence.startsWith("application/cloudevents")) return structured(essence, body.json);
  const binary = ["ce-specversion", "ce-id", "ce-type", "ce-source"].some(
    (name) => name in headers,
  );
  return binary ? binaryEvent(request, body) : undefined;
}

/** For a request to a place that takes events only, and that brings none. */
export function noEvent(): HostError {
  return refusal(
    "the request has neither ce- headers nor a content-type application/cloudevents+json",
  );
}

function structured(essence: string, sent: unknown): ReceivedEvent {
  if (essence.includes("batch")) {
    return refused(refusal("a batch is not taken, send one event a request"));
  }
  if (essence !== "application/cloudevents+json") {
    return refused(
      refusal(`the format ${essence} is not taken, send application/cloudevents+json`),
    );
  }
  if (typeof sent !== "object" || sent === null || Array.isArray(sent)) {
    return refused(refusal("a JSON object is expected"));
  }
  const { data: _, data_base64: __, ...attributes } = sent as Record<string, unknown>;
  return received(attributes, () => sent as Record<string, unknown>);
}

function binaryEvent({ headers, headersDistinct }: Request, body: Body): ReceivedEvent {
  const type = headers["content-type"];
  const entries = attributeEntries(headers);
  const attributes: Record<string, unknown> = Object.fromEntries(
    entries.map(([name, bytes]) => [name, bytes.toString()]),
  );
  for (const [name, bytes] of entries) {
    const times = headersDistinct[`ce-${name}`]?.length ?? 1;
    const problem = headerProblem(name, bytes, { times, type });
    if (problem) return refused(refusal(problem), attributes);
  }
  if (type !== undefined) attributes.datacontenttype = type;
  return received(attributes, () => ({ ...attributes, ...dataOf(body, type) }));
}

/** What the rules for an event as such cannot see any more: how an attribute came. */
function headerProblem(
  name: string,
  bytes: Buffer,
  { times, type }: { times: number; type: string | undefined },
): string | undefined {
  if (times > 1) return `the header ce-${name} is there ${times} times`;
  if (!isUtf8(bytes)) return `the header ce-${name} is not percent-encoded UTF-8`;
  if (/^data(_base64)?$/.test(name)) return `ce-${name} is no attribute: data is the body`;
  const isMisplaced = name === "datacontenttype" && type === undefined;
  return isMisplaced ? "datacontenttype is the header content-type" : undefined;
}

/** Data in binary mode: JSON as its value, text as a string, all else as bytes. */
function dataOf(
  { bytes, json }: Body,
  type: string | undefined,
): { data?: unknown; data_base64?: string } {
  if (json !== undefined) return { data: json };
  if (bytes.length === 0) return {};
  const { essence, parameters } = parseMediaType(type);
  const isText = essence === "" || essence.startsWith("text/") || "charset" in parameters;
  if (isText) {
    try {
      return { data: decodeText(bytes, parameters.charset) };
    } catch {
      // Not text in the charset that it names: kept as the bytes that were sent.
    }
  }
  return { data_base64: bytes.toString("base64") };
}

function refused(problem: HostError, attributes: Record<string, unknown> = {}): ReceivedEvent {
  return received(attributes, () => {
    throw problem;
  });
}

function received(
  attributes: Record<string, unknown>,
  content: () => Record<string, unknown>,
): ReceivedEvent {
  const text = (name: string) => (typeof attributes[name] === "string" ? attributes[name] : "");
  return {
    key: `${text("source")} ${text("id")}`,
    attributes,
    headers: headersFromEvent(attributes),
    read: async () => validated(content()),
  };
}
