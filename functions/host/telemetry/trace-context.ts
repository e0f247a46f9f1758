/**
 * Where a request is in its trace, as W3C Trace Context (https://www.w3.org/TR/trace-context/) and B3
 * (https://github.com/openzipkin/b3-propagation), in one header or several, tell it from hop to hop.
 */
import type { PropagatedHeaders } from "../base/headers.ts";

/** A span, as it is known to those after it. Ids are lower-case hex, of 32 and 16 digits. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
  /** The trace id is random, as who began the trace says (Trace Context Level 2, 2.2.2). */
  readonly random?: boolean;
}

/** What came in with a request. */
export interface IncomingTrace {
  /** The span that it comes from; undefined where a trace begins here. */
  readonly parent: Pick<TraceContext, "traceId" | "spanId"> | undefined;
  /** Whether the trace is kept. Undefined: the next hop decides, which B3 allows for. */
  readonly sampled: boolean | undefined;
  readonly random?: boolean;
}

const w3c = /^(?!ff)([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const b3 = /^([\da-f]{32}|[\da-f]{16})-([\da-f]{16})(?:-([01d])(?:-[\da-f]{16})?)?$/;

/** W3C's comes first: every hop of ours writes it, and a proxy that knows only B3 leaves it alone. */
export function readTrace(headers: PropagatedHeaders): IncomingTrace {
  return readW3c(headers.traceparent) ?? readB3(headers);
}

function readW3c(traceparent: string | undefined): IncomingTrace | undefined {
  const [, version, traceId = "", spanId = "", flags = "", more] =
    w3c.exec(traceparent ?? "") ?? [];
  // A later version may have more parts, of which nothing is known.
  if (version === undefined || (version === "00" && more) || isZero(traceId) || isZero(spanId)) {
    return undefined;
  }
  const bits = Number.parseInt(flags, 16);
  const random = (bits & 2) !== 0;
  return { parent: { traceId, spanId }, sampled: (bits & 1) !== 0, ...(random && { random }) };
}

function readB3(headers: PropagatedHeaders): IncomingTrace {
  const single = headers.b3?.toLowerCase() ?? "";
  const ids = `${headers["x-b3-traceid"]}-${headers["x-b3-spanid"]}`.toLowerCase();
  const [, traceId = "", spanId = "", state] = b3.exec(single) ?? b3.exec(ids) ?? [];
  const debug = headers["x-b3-flags"] === "1" ? "d" : undefined;
  // Without ids it is a decision alone.
  const alone = /^[01d]$/.test(single) ? single : undefined;
  return {
    parent:
      isZero(traceId) || isZero(spanId)
        ? undefined
        : { traceId: traceId.padStart(32, "0"), spanId },
    sampled: decision(state ?? alone ?? debug ?? headers["x-b3-sampled"]?.toLowerCase()),
  };
}

function decision(state: string | undefined): boolean | undefined {
  if (state === undefined) return undefined;
  return ["1", "d", "true"].includes(state);
}

function isZero(id: string): boolean {
  return /^0*$/.test(id);
}

/**
 * As `traceparent` says it, and `traceresponse` of its Level 2 in the other direction. Flags that neither level
 * knows are zero, as both ask.
 */
export function formatTrace({ traceId, spanId, sampled, random }: TraceContext): string {
  return `00-${traceId}-${spanId}-0${(sampled ? 1 : 0) + (random ? 2 : 0)}`;
}

/**
 * The headers with the span in place of what they said of the trace: always as W3C has it, and in B3's
 * forms where it came in these. `parent` is the span's own.
 */
export function writeTrace(
  headers: PropagatedHeaders,
  span: TraceContext,
  parent: IncomingTrace["parent"],
): PropagatedHeaders {
  const { traceId, spanId, sampled } = span;
  const flag = sampled ? "1" : "0";
  const { tracestate, "x-b3-parentspanid": _, ...others } = headers;
  const multi = ["x-b3-traceid", "x-b3-sampled", "x-b3-flags"].some((name) => name in headers);
  const debug = headers["x-b3-flags"] === "1";
  return {
    ...others,
    traceparent: formatTrace(span),
    // It belongs to the trace that came in, not to one that begins here.
    ...(parent && tracestate && { tracestate }),
    ...(headers.b3 && {
      b3: [traceId, spanId, flag, ...(parent ? [parent.spanId] : [])].join("-"),
    }),
    ...(multi && {
      "x-b3-traceid": traceId,
      "x-b3-spanid": spanId,
      ...(parent && { "x-b3-parentspanid": parent.spanId }),
      // The debug flag says it already.
      ...(!debug && { "x-b3-sampled": flag }),
    }),
  };
}

/**
 * Whose child a request is that brings an event: of its hop's, if that is of the event's trace, else of
 * the event's own, since the delivery of an event may begin a trace of its own. The other one is a link.
 */
export function placeInTrace(
  hop: PropagatedHeaders,
  event: PropagatedHeaders | undefined,
): { trace: IncomingTrace; links: NonNullable<IncomingTrace["parent"]>[] } {
  const delivery = readTrace(hop);
  const own = event && readTrace(event);
  if (!own?.parent) return { trace: delivery, links: [] };
  if (!delivery.parent) return { trace: own, links: [] };
  if (delivery.parent.traceId !== own.parent.traceId) {
    return { trace: own, links: [delivery.parent] };
  }
  return {
    trace: delivery,
    links: delivery.parent.spanId === own.parent.spanId ? [] : [own.parent],
  };
}
