/**
 * How long a header may be that travels with a request. Each has a limit of its own, kept where it comes in,
 * so that all of them together pass every hop: Node's limit here (maxHeaderBytes), Envoy's of 60 KiB, and
 * the queue, where they are attributes of an event and percent-encoded.
 */
import { encodeAttribute } from "./attributes.ts";

/** For every server of ours: the most bytes of a request's headers, after which it answers 431. */
export const maxHeaderBytes = 65_536;

/** The most bytes of an event's attributes as headers, without those that are travelling headers. */
export const maxAttributeBytes = 16_384;

/** In characters. Baggage: what W3C asks every platform to pass on (Baggage, 3.3.2). */
const baggageLimit = 8_192;
const tracestateLimit = 2_048;
const faultLimit = 1_024;
const otherLimit = 256;

/** Of baggage as an attribute, where a "%" takes three characters: enough for every value that is valid. */
const encodedBaggageLimit = 14_336;

/** The value as it may travel; undefined for one that may not. */
export function withinLimits(name: string, received: string): string | undefined {
  // Blanks of both lists may be tabs.
  const value = received.replaceAll("\t", " ");
  // Printable ASCII only: anything else cannot be sent on as gRPC metadata, and would fail the call.
  const isSound = isPrintable(value);
  // Short baggage is within both of its limits.
  if (name === "baggage") return isSound && value.length <= 1_024 ? value : shortenBaggage(value);
  if (!isSound) return undefined;
  if (name === "tracestate") return shortenTracestate(value);
  return value.length <= (name === "x-fault" ? faultLimit : otherLimit) ? value : undefined;
}

function isPrintable(text: string): boolean {
  return /^[\x20-\x7e]+$/.test(text);
}

/** Whole members only are dropped (Baggage, 3.3.2): those that cannot be sent on, then the longest. */
function shortenBaggage(value: string): string | undefined {
  const members = value.split(",").filter(isPrintable);
  const sizes = members.map((member) => ({
    length: member.length + 1,
    encoded: encodeAttribute(`${member},`).length,
  }));
  // Without the last comma.
  let length = sizes.reduce((sum, size) => sum + size.length, -1);
  let encoded = sizes.reduce((sum, size) => sum + size.encoded, -1);
  const dropped = new Set<number>();
  const longestFirst = sizes.map((size, at) => ({ ...size, at }));
  longestFirst.sort((a, b) => b.length - a.length || b.at - a.at);
  for (const size of longestFirst) {
    if (length <= baggageLimit && encoded <= encodedBaggageLimit) break;
    length -= size.length;
    encoded -= size.encoded;
    dropped.add(size.at);
  }
  return members.filter((_, at) => !dropped.has(at)).join(",") || undefined;
}

const key = /^(?:[a-z][a-z\d_\-*/]{0,255}|[a-z\d][a-z\d_\-*/]{0,240}@[a-z][a-z\d_\-*/]{0,13})$/;
const memberValue = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * Trace Context, 3.3.1: one that is not of its grammar, or of more than 32 members, is discarded whole; of one
 * that is too long, members over 128 characters go first, then the last ones.
 */
function shortenTracestate(value: string): string | undefined {
  const members = value.split(",").map((member) => member.trim());
  const entries = members.filter((member) => member !== "");
  const isValid = entries.every((entry) => {
    const at = entry.indexOf("=");
    return at > 0 && key.test(entry.slice(0, at)) && memberValue.test(entry.slice(at + 1));
  });
  if (entries.length === 0 || entries.length > 32 || !isValid) return undefined;
  if (value.length <= tracestateLimit) return value;
  // At most 32 of them.
  const kept = entries.filter((entry) => entry.length <= 128);
  while (kept.join(",").length > tracestateLimit) kept.pop();
  return kept.join(",") || undefined;
}
