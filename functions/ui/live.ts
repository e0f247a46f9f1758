/** What the page draws: the declared graph with the figures of the last seconds. As JSON at /api/graph/live. */
import type { GraphEdge, GraphNode } from "#host";

/** Figures of the window. Durations are in ms, and null where nothing was seen. */
export interface Figures {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** From 0 to 1. */
  readonly errorShare: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** Kinds of functions that the gateway can trigger, and that faults can name. */
export const triggeredKinds: readonly GraphNode["kind"][] = [
  "greeter",
  "subscriber",
  "handler",
  "function",
];

/** Of a window in which nothing was seen. */
export const noFigures: Figures = {
  requests: 0,
  requestsPerSecond: 0,
  errorShare: 0,
  p50: null,
  p95: null,
  p99: null,
};

/** What a person may do with a function, and how it is; "unknown" where its state is not known. */
export type NodeState = "ready" | "starting" | "not ready" | "stopped" | "unknown";

/** One of several revisions of a function. The function's own node is its oldest one; each other has a node too. */
export interface Revision {
  /** The function. */
  readonly of: string;
  /** Without the function's name: "v2", "00002". */
  readonly name: string;
  /** Its part of the function's requests, from 0 to 1; null where there were none. */
  readonly share: number | null;
}

export interface LiveNode extends GraphNode {
  readonly state: NodeState;
  /** Only where the function has several. */
  readonly revision?: Revision;
  /** Requests that it served or messages that it processed; of a queue or a collection, what was sent to it. */
  readonly figures: Figures;
  /** Messages that wait: of queues only, and null where the broker was not asked. */
  readonly depth?: number | null;
  /** Messages in its dead-letter queue: of queues only, and null where that is not known. */
  readonly deadLetters?: number | null;
  /** It was woken within the window: for a call to a function above it, or for a message. */
  readonly woken?: true;
}

export interface LiveEdge extends GraphEdge {
  readonly figures: Figures;
  /** False for an edge that was seen, and that no definition declares. */
  readonly declared: boolean;
  /** Of connections whose requests are not counted, both ways: Istio does not look into MongoDB and AMQP. */
  readonly bytesPerSecond?: number;
}

export interface LiveGraph {
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly windowSeconds: number;
  /** Where the figures come from: spans that the functions sent, or Prometheus; "none": there are no figures. */
  readonly source: "spans" | "prometheus" | "none";
  readonly nodes: readonly LiveNode[];
  readonly edges: readonly LiveEdge[];
}

/** One request, as it is listed: newest first at /api/traces?node=service-g or ?edge=service-e>service-g. */
export interface TraceSummary {
  readonly traceId: string;
  /** The root span's: "GET /api/greeting". */
  readonly name: string;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly spans: number;
  readonly failed: boolean;
}

/** At /api/traces/{traceId}: spans in the order in which they began. */
export interface Trace extends TraceSummary {
  readonly timeline: readonly TraceSpan[];
}

export interface TraceSpan {
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly service: string;
  readonly name: string;
  readonly kind: "server" | "client" | "producer" | "consumer" | "internal";
  /** After the trace's begin. */
  readonly offsetMs: number;
  readonly durationMs: number;
  /** Why it failed, in its status's words; null for success. */
  readonly error: string | null;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly events: readonly { readonly name: string; readonly offsetMs: number }[];
  /** Traces and spans that it is linked to: the HTTP hop's own trace, where that is another. */
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** Messages of a queue that could not be delivered, at /api/live/dead-letters; the oldest first, 50 at most. */
export interface DeadLetterList {
  /** The queue that they were published to. */
  readonly queue: string;
  /** Undefined where the broker has no such queue. */
  readonly total: number | undefined;
  readonly letters: readonly DeadLetter[];
}

export interface DeadLetter {
  /** The queue that it was published to, and that a retry publishes it to. */
  readonly queue: string;
  /** The event's; where there is none the message's, else made of the content. */
  readonly id: string;
  readonly type: string | null;
  readonly source: string | null;
  readonly reason: string;
  /** When it was dead-lettered; RFC 3339, UTC. */
  readonly time: string | null;
  /** Deliveries in all; null where only the broker wrote about it. */
  readonly attempts: number | null;
  readonly retries: number;
  readonly traceId: string | null;
  readonly bytes: number;
}

/** "2 deliveries, 1 retry"; "" where neither is known. */
export function deliveriesOf({ attempts, retries }: DeadLetter): string {
  const delivered = attempts === null ? [] : [count(attempts, "delivery", "deliveries")];
  const retried = retries === 0 ? [] : [count(retries, "retry", "retries")];
  return [...delivered, ...retried].join(", ");
}

function count(number: number, one: string, several: string): string {
  return `${number} ${number === 1 ? one : several}`;
}

/** What the page can do here, at /api/page. Addresses are as the browser reaches them, and null where there is none. */
export interface PageSettings {
  /** The gateway's origin, which the page sends its requests to. */
  readonly gateway: string;
  /** Functions can be stopped, started, and their logs followed: on one machine only. */
  readonly control: boolean;
  /** Dead letters can be listed and retried. */
  readonly deadLetters: boolean;
  /** Requests may carry x-fault. */
  readonly faults: boolean;
  /** Where a trace is shown elsewhere: "{traceId}" stands for its id. */
  readonly traceUrl: string | null;
  readonly kialiUrl: string | null;
}

/** The broker's name of the queue that this node stands for. */
export function queueName({ name }: Pick<LiveNode, "name">): string {
  return name.replace(/^rabbitmq:/, "");
}

/** False for the node of a further revision: requests and faults name the function. */
export function isOwnNode({ name, revision }: Pick<LiveNode, "name" | "revision">): boolean {
  return revision === undefined || revision.of === name;
}
