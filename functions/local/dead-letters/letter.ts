/** A message of a dead-letter queue, as a person reads it. */
import { createHash } from "node:crypto";
import type { Message } from "amqplib";
import { headersFromEvent } from "#host/base/headers";
import { parseMediaType } from "#host/base/media-type";
import { deadLetterHeaders } from "#host/events/dead-letter";
import { readTrace } from "#host/telemetry/trace-context";
import type { DeadLetter } from "../../ui/live.ts";

type Table = Readonly<Record<string, unknown>>;

/** Reads whatever is in the queue, messages that are no event included. */
export function readLetter(queue: string, { content, properties }: Message): DeadLetter {
  const headers: Table = properties.headers ?? {};
  const event = attributesOf(headers, properties.contentType, content);
  const { parent } = readTrace(headersFromEvent(event));
  const death = deathOf(headers);
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 16);
  return {
    queue,
    id: text(event.id) ?? text(properties.messageId) ?? digest,
    type: text(event.type) ?? text(properties.type),
    source: text(event.source),
    reason: text(headers[deadLetterHeaders.reason]) ?? death.reason,
    time: text(headers[deadLetterHeaders.time]) ?? death.time,
    attempts: count(headers[deadLetterHeaders.attempts]),
    retries: count(headers[deadLetterHeaders.retries]) ?? 0,
    traceId: parent?.traceId ?? text(headers[deadLetterHeaders.trace]),
    bytes: content.length,
  };
}

/** How often the broker took the message back after it was handed out. */
export function returnsOf({ properties }: Message): number {
  return count(properties.headers?.["x-delivery-count"]) ?? 0;
}

/** Headers of the message when it goes back to its queue: without its death, with what counts it. */
export function headersOfRetry({ properties }: Message, { attempts, retries }: DeadLetter) {
  const { reason, time, trace } = deadLetterHeaders;
  const kept = Object.entries((properties.headers ?? {}) as Table).filter(
    ([name]) => ![reason, time, trace].some((one) => one === name) && !ofBroker.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    ...(attempts !== null && { [deadLetterHeaders.attempts]: attempts }),
    [deadLetterHeaders.retries]: retries + 1,
  };
}

/** Headers of the message when it is written anew to the same queue: all, with what the broker wrote in words of ours. */
export function headersOfCopy({ properties }: Message, { reason, time }: DeadLetter) {
  const { "x-delivery-count": _, ...kept } = (properties.headers ?? {}) as Table;
  return {
    ...kept,
    [deadLetterHeaders.reason]: reason,
    ...(time !== null && { [deadLetterHeaders.time]: time }),
  };
}

const ofBroker = /^x-(death|(first|last)-death-.*|delivery-count|acquired-count)$/;

function attributesOf(headers: Table, contentType: unknown, content: Buffer): Table {
  const { essence } = parseMediaType(text(contentType) ?? undefined);
  if (essence === "application/cloudevents+json") return parsed(content);
  const named = Object.entries(headers).flatMap(([name, value]) =>
    /^ce-/i.test(name) ? [[name.slice("ce-".length).toLowerCase(), value]] : [],
  );
  return Object.fromEntries(named);
}

function parsed(content: Buffer): Table {
  try {
    const value: unknown = JSON.parse(content.toString());
    return typeof value === "object" && value !== null ? (value as Table) : {};
  } catch {
    return {};
  }
}

const brokerReasons: Readonly<Record<string, string>> = {
  rejected: "rejected by its consumer, whose log says why",
  delivery_limit: "delivered too often without an answer",
  expired: "it has expired",
  maxlen: "the queue was full",
};

/** What the broker writes about a message that it dead-letters itself: for Knative's source, or at the delivery limit. */
function deathOf(headers: Table): { reason: string; time: string | null } {
  const deaths: unknown = headers["x-death"];
  const { reason, time } = ((Array.isArray(deaths) && deaths[0]) || {}) as Table;
  const { value: seconds } = (time ?? {}) as { value?: unknown };
  return {
    reason: brokerReasons[String(reason)] ?? text(reason) ?? "unknown",
    time: typeof seconds === "number" ? new Date(seconds * 1_000).toISOString() : null,
  };
}

function text(value: unknown): string | null {
  return (typeof value === "string" || typeof value === "number") && String(value).trim()
    ? String(value)
    : null;
}

function count(value: unknown): number | null {
  return typeof value === "number" && value >= 0 ? value : null;
}
