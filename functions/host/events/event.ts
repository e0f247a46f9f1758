/**
 * The CloudEvent of an HTTP request, read once for everything that needs it: its place in the trace, its
 * faults, the handler. Follows CloudEvents 1.0.2, its JSON format and its HTTP binding; the SDK validates.
 */
import type { IncomingHttpHeaders } from "node:http";
import { CloudEvent, type CloudEventV1, ValidationError } from "cloudevents";
import { HostError } from "../base/errors.ts";
import { headersFromEvent, type PropagatedHeaders } from "../base/headers.ts";
import { parseMediaType } from "../base/media-type.ts";

/** An event in the form of the JSON format: attributes, and `data`, or `data_base64` for bytes. */
export type EventJson = CloudEventV1<unknown>;

export interface ReceivedEvent {
  /** Source and id, which together are unique (CloudEvents 1.0). Empty parts where they are missing. */
  readonly key: string;
  /** As far as they could be read, even of an event that is refused. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The propagated headers that travel in the event. */
  readonly headers: PropagatedHeaders;
  /** The event; throws ERR_BAD_REQUEST that says what is wrong with it. */
  read(): EventJson;
}

/** A request's body, read and parsed once. */
export interface Body {
  readonly bytes: Buffer;
  /** Its value where its media type is JSON; undefined for other types, and where it is empty. */
  readonly json: unknown;
}

type Headers = Readonly<IncomingHttpHeaders>;

/** Undefined for a request that brings no event, by its headers (HTTP binding, 3). */
export function receiveEvent(headers: Headers, body: Body): ReceivedEvent | undefined {
  const { essence } = parseMediaType(headers["content-type"]);
  if (essence.startsWith("application/cloudevents")) return structured(essence, body.json);
  const binary = ["ce-specversion", "ce-id", "ce-type", "ce-source"].some(
    (name) => name in headers,
  );
  return binary ? binaryEvent(headers, body) : undefined;
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

function binaryEvent(headers: Headers, body: Body): ReceivedEvent {
  const entries = Object.entries(headers).filter(([name]) => name.startsWith("ce-"));
  const type = headers["content-type"];
  const attributes: Record<string, unknown> = Object.fromEntries(
    entries.map(([name, value]) => [name.slice("ce-".length), decodeHeader(String(value))]),
  );
  if (type !== undefined) attributes.datacontenttype = type;
  return received(attributes, () => ({ ...attributes, ...dataOf(body, type) }));
}

/** Data in binary mode: JSON as its value, text as a string, all else as bytes. */
function dataOf(
  { bytes, json }: Body,
  type: string | undefined,
): { data?: unknown; data_base64?: string } {
  if (json !== undefined) return { data: json };
  if (bytes.length === 0) return {};
  const { essence, parameters } = parseMediaType(type);
  const charset = parameters.charset?.toLowerCase() ?? "utf-8";
  const isText = essence === "" || essence.startsWith("text/") || "charset" in parameters;
  if (isText) {
    try {
      return { data: new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(bytes) };
    } catch {
      // Not text in the charset that it names: kept as the bytes that were sent.
    }
  }
  return { data_base64: bytes.toString("base64") };
}

/** HTTP binding, 3.1.3.2: unquoted, then percent-decoded once. Node hands out each byte as one character. */
function decodeHeader(value: string): string {
  const text = value.replace(/^"((?:[^"\\]|\\.)*)"$/s, (_, inner: string) =>
    inner.replace(/\\(.)/gs, "$1"),
  );
  const bytes = text.replace(/%([\da-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString();
}

function refused(problem: HostError): ReceivedEvent {
  const read = () => {
    throw problem;
  };
  return { key: " ", attributes: {}, headers: {}, read };
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
    read: () => validated(content()),
  };
}

function validated(sent: Record<string, unknown>): EventJson {
  // The SDK makes up an id and a specversion that are missing, and each delivery would be another event.
  const missing = ["specversion", "id", "source", "type"].find((name) => !sent[name]);
  if (missing) throw refusal(`the attribute ${missing} is missing`);
  const broken = brokenRule(sent);
  if (broken) throw refusal(broken);
  try {
    // Without the data, which is any value. The SDK's own object would change the time's spelling.
    const { data: _, data_base64: __, ...attributes } = sent;
    new CloudEvent(attributes).validate();
    return sent as unknown as EventJson;
  } catch (thrown) {
    throw refusal(describe(thrown), thrown);
  }
}

/** Rules of the specification and of its JSON format that the SDK does not hold. */
function brokenRule({ data, data_base64: base64, ...attributes }: Record<string, unknown>) {
  const { specversion, time } = attributes;
  if (!/^(1\.0|0\.3)$/.test(String(specversion))) return `specversion ${specversion} is not taken`;
  if (time !== undefined && time !== null && !isTimestamp(String(time))) {
    return `time=${time} is not in RFC 3339 format, or there is no such time`;
  }
  if (base64 !== undefined && data !== undefined) return "data and data_base64 exclude each other";
  if (base64 !== undefined && !isBase64(base64)) {
    return "data_base64 is not base64";
  }
  const wrong = Object.entries(attributes).find(
    ([, value]) =>
      (typeof value === "object" && value !== null) ||
      (typeof value === "number" && value !== (value | 0)),
  );
  return wrong && `${wrong[0]} has a value that an attribute cannot have`;
}

/** RFC 4648, 4, with its padding. */
export function isBase64(text: unknown): text is string {
  return Buffer.from(String(text), "base64").toString("base64") === text;
}

/** RFC 3339, 5.6, with the days that its month has. */
function isTimestamp(text: string): boolean {
  const parts =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|[+-](\d\d):(\d\d))$/i.exec(text);
  if (!parts) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ...offset] = parts
    .slice(1)
    .map((part) => Number(part ?? 0));
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const isDate = month >= 1 && month <= 12 && day >= 1 && day <= days;
  const [offsetHour = 0, offsetMinute = 0] = offset;
  return isDate && hour < 24 && minute < 60 && second <= 60 && offsetHour < 24 && offsetMinute < 60;
}

function refusal(why: string, cause?: unknown): HostError {
  return new HostError("ERR_BAD_REQUEST", `not a CloudEvent: ${why}`, { cause });
}

function describe(thrown: unknown): string {
  if (!(thrown instanceof ValidationError)) return (thrown as Error).message;
  const errors = (thrown.errors ?? []) as (string | { instancePath?: string; message?: string })[];
  const details = errors.map((error) =>
    typeof error === "string" ? error : `${error.instancePath ?? ""} ${error.message}`.trim(),
  );
  return details.length > 0 ? details.join(", ") : thrown.message;
}
