import type { Definition } from "./definition.ts";

export interface GraphNode {
  /** A function's name, or "rabbitmq:QUEUE" and "mongodb:DATABASE.COLLECTION". */
  name: string;
  /** "function": one that declares nothing, and is known from what was seen of it only. */
  kind: Definition["kind"] | "function" | "queue" | "collection";
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

/** The call graph that the definitions declare; order follows theirs, without regard to run time. */
export function graphOf(definitions: readonly Definition[]): Graph {
  const nodes = new Map<string, GraphNode>();
  const edges: GraphEdge[] = [];
  for (const { name, kind } of definitions) nodes.set(name, { name, kind });
  const add = (node: GraphNode) => {
    nodes.set(node.name, node);
    return node.name;
  };
  for (const { name, kind, calls, effects, consumes } of definitions) {
    for (const callee of calls) {
      const protocol = kind === "bridge" ? "cloudevents" : callee.protocol;
      edges.push({ from: name, to: callee.name, protocol });
    }
    for (const { system, destination } of effects) {
      const kind = system === "mongodb" ? "collection" : "queue";
      const protocol = system === "mongodb" ? "mongodb" : "amqp";
      edges.push({ from: name, to: add({ name: `${system}:${destination}`, kind }), protocol });
    }
    if (consumes) {
      const queue = add({ name: `rabbitmq:${consumes}`, kind: "queue" });
      edges.push({ from: queue, to: name, protocol: "amqp" });
    }
  }
  return { nodes: [...nodes.values()], edges };
}
