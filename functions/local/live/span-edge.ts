import type { GraphEdge } from "#host/kinds/graph";
import type { Glance } from "../otlp-glance.ts";

/** The attributes that tell a span's edge. */
export const edgeAttributes = [
  "messaging.system.name",
  "messaging.destination.name",
  "db.system.name",
  "db.namespace",
  "db.collection.name",
  "server.service.name",
  "rpc.system.name",
  "http.request.method",
  "cloudevents.event_id",
] as const;

/**
 * The edge of the graph that a span belongs to. Edges are read on the caller's side, and on a queue's both
 * sides; undefined for what a function does by itself, and for answering, which its caller reports.
 */
export function edgeOf({
  kind,
  service,
  attributes,
}: Pick<Glance, "kind" | "service" | "attributes">): GraphEdge | undefined {
  const text = (name: (typeof edgeAttributes)[number]) => attributes[name] || undefined;
  const queue = text("messaging.system.name") === "rabbitmq" && text("messaging.destination.name");
  if (queue && kind === "producer") {
    return { from: service, to: `rabbitmq:${queue}`, protocol: "amqp" };
  }
  if (queue && kind === "consumer") {
    return { from: `rabbitmq:${queue}`, to: service, protocol: "amqp" };
  }
  if (kind !== "client") return undefined;
  if (text("db.system.name") === "mongodb") {
    const collection = `${text("db.namespace")}.${text("db.collection.name")}`;
    return { from: service, to: `mongodb:${collection}`, protocol: "mongodb" };
  }
  const peer = text("server.service.name");
  if (!peer) return undefined;
  if (text("rpc.system.name") === "grpc") return { from: service, to: peer, protocol: "grpc" };
  if (!text("http.request.method")) return undefined;
  const protocol = text("cloudevents.event_id") ? "cloudevents" : "http";
  return { from: service, to: peer, protocol };
}
