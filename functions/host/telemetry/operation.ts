import type { Attributes } from "@opentelemetry/api";

/**
 * Something that a function does for a request, that takes time and may fail: serving it, calling a function,
 * publishing, processing a message, saving, waking. Each is seen once, here: as a span and in the metrics.
 */
export interface Operation {
  /**
   * The span's kind. RED metrics of a function come from server and consumer, those of an edge from client and
   * producer. Internal is what is no edge: a wake.
   */
  readonly kind: "server" | "client" | "producer" | "consumer" | "internal";
  /** Of low cardinality: "GET /api/greeting", "greeting.GreetingService/Greeting", "publish service-d". */
  readonly name: string;
  /** By OpenTelemetry's semantic conventions. */
  readonly attributes: Attributes;
}

/** An operation that has ended. */
export interface Outcome extends Operation {
  readonly durationSeconds: number;
  /** `error.type` of the semantic conventions: a code of ours, or a status; undefined for success. */
  readonly errorType: string | undefined;
  /** Of the operation's span, where there is one that is sampled: a metric's exemplar. */
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
}
