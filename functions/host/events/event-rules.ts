/** What makes a CloudEvent valid: CloudEvents 1.0.2, 3, and its JSON format. The SDK's schema holds a part of it. */
import type { CloudEventV1 } from "cloudevents";
import { encodeAttribute } from "../base/attributes.ts";
import { HostError } from "../base/errors.ts";
import { maxAttributeBytes } from "../base/header-limits.ts";
import { isHeaderAttribute } from "../base/headers.ts";

/** An event in the form of the JSON format: attributes, and `data`, or `data_base64` for bytes. */
export type EventJson = CloudEventV1<unknown>;

/** With the first event: most functions get none. */
let schema: typeof import("./event-schema.ts") | undefined;

/** The event that was sent; throws ERR_BAD_REQUEST for one that is none. */
export async function validated(sent: Record<string, unknown>): Promise<EventJson> {
  // The SDK makes up an id and a specversion that are missing, and each delivery would be another event.
  const missing = ["specversion", "id", "source", "type"].find((name) => !sent[name]);
  if (missing) throw refusal(`the attribute ${missing} is missing`);
  const broken = brokenRule(sent);
  if (broken) throw refusal(broken);
  if (attributeSize(sent) > maxAttributeBytes) {
    throw refusal(`its attributes may have ${maxAttributeBytes} bytes at most, as headers`);
  }
  // Without the data, which is any value.
  const { data: _, data_base64: __, ...attributes } = sent;
  schema ??= await import("./event-schema.ts");
  const problem = schema.problemIn(attributes);
  if (problem) throw refusal(problem.message, problem.cause);
  return sent as unknown as EventJson;
}

/** Rules of the specification and of its JSON format that the SDK does not hold. */
function brokenRule({ data, data_base64: base64, ...attributes }: Record<string, unknown>) {
  const { specversion, time, datacontenttype: type } = attributes;
  if (!/^(1\.0|0\.3)$/.test(String(specversion))) return `specversion ${specversion} is not taken`;
  if (time !== undefined && time !== null && !isTimestamp(String(time))) {
    return `time=${time} is not in RFC 3339 format, or there is no such time`;
  }
  if (type !== undefined && type !== null && !mediaType.test(String(type))) {
    return `datacontenttype=${type} is no media type (RFC 2046)`;
  }
  if (base64 !== undefined && data !== undefined) return "data and data_base64 exclude each other";
  if (base64 !== undefined && !isBase64(base64)) {
    return "data_base64 is not base64";
  }
  const wrong = Object.entries(attributes).find(
    ([, value]) =>
      (typeof value === "object" && value !== null) ||
      (typeof value === "number" && value !== (value | 0)) ||
      (typeof value === "string" && disallowed.test(value)),
  );
  return wrong && `${wrong[0]} has a value that an attribute cannot have`;
}

/** What an event's attributes need as headers, besides those that travel along and have limits of their own. */
function attributeSize({ data: _, data_base64: __, ...attributes }: Record<string, unknown>) {
  return Object.entries(attributes).reduce((sum, [name, value]) => {
    if (value === null || isHeaderAttribute(name)) return sum;
    return sum + name.length + encodeAttribute(String(value)).length;
  }, 0);
}

const mediaType = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(?:;.*)?$/;

/** In a String (3.1): controls, lone surrogates, and what Unicode says is no character. */
const disallowed = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;

/** RFC 4648, 4, with its padding. */
export function isBase64(text: unknown): text is string {
  return Buffer.from(String(text), "base64").toString("base64") === text;
}

/** RFC 3339, 5.6, with the days that its month has. */
export function isTimestamp(text: string): boolean {
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

export function refusal(why: string, cause?: unknown): HostError {
  return new HostError("ERR_BAD_REQUEST", `not a CloudEvent: ${why}`, { cause });
}
