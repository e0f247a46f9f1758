import type { Definition, RouteDeclaration } from "./definition.ts";

export interface GraphNode {
  /** A function's name, or "rabbitmq:QUEUE" and "mongodb:DATABASE.COLLECTION". */
  name: string;
  /** "function": one that declares nothing, and is known from what was seen of it only. */
  kind: Definition["kind"] | "function" | "queue" | "collection";
  /** What a function answers over HTTP, with the JSON Schema of each body that is declared. */
  routes?: readonly RouteDeclaration[];
}

export interface GraphEdge {
  from: string;
  to: string;
  protocol: "http" | "grpc" | "cloudevents" | "amqp" | "mongodb";
}

export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}
