/** The graph that a trace's spans draw, to be held against the one that the definitions declare. */
import type { Span } from "../../local/otlp.ts";

/** "service-a -grpc-> service-b", each once, in alphabetical order. */
export function edgesOf(spans: readonly Span[]): string[] {
  return [...new Set(spans.flatMap((span) => edgeOf(span) ?? []))].sort();
}

/** From the caller's side: who is called says nothing of it that the caller does not. */
function edgeOf({ kind, service, attributes }: Span): string | undefined {
  const edge = (protocol: string, to: unknown) => `${service} -${protocol}-> ${to}`;
  const queue = `rabbitmq:${attributes["messaging.destination.name"]}`;
  if (kind === "producer") return edge("amqp", queue);
  if (kind === "consumer") return `${queue} -amqp-> ${service}`;
  if (kind !== "client") return undefined;
  if (attributes["db.system.name"] === "mongodb") {
    return edge(
      "mongodb",
      `mongodb:${attributes["db.namespace"]}.${attributes["db.collection.name"]}`,
    );
  }
  const peer = attributes["server.service.name"];
  if (attributes["rpc.system.name"] === "grpc") return edge("grpc", peer);
  return edge(attributes["cloudevents.event_id"] ? "cloudevents" : "http", peer);
}

/** What is wrong with a trace as a tree, in sentences: one root, no span without its parent, each call met by its callee. */
export function treeProblems(spans: readonly Span[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === null);
  const orphans = spans.filter(({ parentSpanId }) => parentSpanId && !byId.has(parentSpanId));
  const unmet = spans.filter(({ kind, spanId, attributes }) => {
    const peer = attributes["server.service.name"];
    const met = spans.some(
      (span) => span.parentSpanId === spanId && span.kind === "server" && span.service === peer,
    );
    return kind === "client" && peer !== undefined && !met;
  });
  const show = ({ service, kind, name }: Span) => `${service}'s ${kind} span ${name}`;
  return [
    ...(roots.length === 1
      ? []
      : [`there are ${roots.length} roots: ${roots.map(show).join(", ")}`]),
    ...orphans.map((span) => `${show(span)} has a parent that is not there`),
    ...unmet.map((span) => `${show(span)} is not met by its callee's`),
  ];
}

/** How two lists of edges differ, in both directions. */
export function drift(seen: readonly string[], declared: readonly string[]) {
  return {
    missing: declared.filter((edge) => !seen.includes(edge)),
    undeclared: seen.filter((edge) => !declared.includes(edge)),
  };
}
