import { decodeSpan } from "../otlp.ts";
import { createGlancer, type Glance } from "../otlp-glance.ts";
import { edgeAttributes, edgeOf } from "./span-edge.ts";
import type { SeenSpan } from "./span-ring.ts";

const glance = createGlancer([...edgeAttributes, "error.type", "faas.invoked_name"]);

/** The spans of a body of protobuf. Throws for bytes that are no OTLP. */
export function seenSpans(body: Uint8Array): SeenSpan[] {
  return glance(body).map((one) => new GlancedSpan(one));
}

class GlancedSpan implements SeenSpan {
  readonly traceId: string;
  readonly service: string;
  readonly kind: SeenSpan["kind"];
  readonly startMs: number;
  readonly durationMs: number;
  readonly failed: boolean;
  readonly edge: SeenSpan["edge"];
  readonly woken: string | undefined;
  readonly #body: Buffer;
  readonly #from: number;
  readonly #to: number;

  constructor(seen: Glance) {
    this.traceId = seen.traceId;
    this.service = seen.service;
    this.kind = seen.kind;
    this.startMs = seen.startMs;
    this.durationMs = seen.durationMs;
    this.failed = hasFailed(seen);
    this.edge = edgeOf(seen);
    this.woken = seen.kind === "internal" ? seen.attributes["faas.invoked_name"] : undefined;
    this.#body = seen.body;
    this.#from = seen.from;
    this.#to = seen.to;
  }

  whole() {
    return decodeSpan(this.#body.subarray(this.#from, this.#to), this.service);
  }
}

/** A call that was given up, because a sibling failed or a client left, is no failure of its callee. */
function hasFailed({ failed, attributes }: Glance): boolean {
  return failed && attributes["error.type"] !== "ERR_CANCELLED";
}
