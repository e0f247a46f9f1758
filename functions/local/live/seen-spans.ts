import { type Canary, versions } from "../canary/canary.ts";
import { decodeSpan } from "../otlp.ts";
import { createGlancer, type Glance } from "../otlp-glance.ts";
import { edgeAttributes, edgeOf } from "./span-edge.ts";
import type { SeenSpan } from "./span-ring.ts";

/** A canary, as spans show it: its own by their version, and its callers' by the port that they called. */
export interface SeenCanary extends Pick<Canary, "of" | "name"> {
  readonly port: number;
}

/** Reads the spans of a body of protobuf. Throws for bytes that are no OTLP. */
export function createSpanReader(canary?: SeenCanary): (body: Uint8Array) => SeenSpan[] {
  const more = ["error.type", "faas.invoked_name", ...(canary ? ["server.port"] : [])];
  const glance = createGlancer([...edgeAttributes, ...more]);
  if (!canary) return (body) => glance(body).map((one) => new GlancedSpan(one));
  return (body) => glance(body).map((one) => new GlancedSpan(withCanary(one, canary)));
}

/** By the name of the canary's node, where it is the canary that answered or was called. */
function withCanary(seen: Glance, { of, name, port }: SeenCanary): Glance {
  const { service, version, attributes } = seen;
  const isCalled =
    attributes["server.service.name"] === of && attributes["server.port"] === String(port);
  return {
    ...seen,
    ...(service === of && version === versions.canary && { service: name }),
    ...(isCalled && { attributes: { ...attributes, "server.service.name": name } }),
  };
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
