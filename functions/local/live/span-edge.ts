import type { GraphEdge } from "#host/kinds/graph";
import type { Span } from "../otlp.ts";

/**
 * The edge of the graph that a span belongs to. Edges are read on the caller's side, and on a queue's both
 * sides; undefined for what a function does by itself, and for answering, which its caller reports.
 */
export function edgeOf({ kind, service, attributes }: Span): GraphEdge | undefined {
  const text = (name: string) => {
    const value = attributes[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
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
