import type { Definition } from "#host/kinds/definition";
import type { Graph, GraphEdge, GraphNode } from "#host/kinds/graph";
import type { Schema } from "#host/kinds/handler-options";
import { isStandard } from "#host/kinds/validate";
import type { Deployable } from "./discover.ts";

/** The graph of these functions. Those without a declaration are in it too, without edges. */
export function declaredGraph(functions: readonly Deployable[]): Graph {
  const plain = functions.filter(({ definition }) => !definition);
  return graphOf(
    functions.flatMap(({ definition }) => definition ?? []),
    plain.map(({ name }) => name),
  );
}

/** What brings a queue's messages to the function that consumes it. */
export interface SourceEdge {
  readonly queue: string;
  readonly to: string;
}

/** Each queue that is consumed, in the order of the definitions. */
export function sourcesOf(definitions: readonly Definition[]): SourceEdge[] {
  return definitions.flatMap(({ name, from }) => (from ? [{ queue: from, to: name }] : []));
}

/**
 * The call graph that the definitions declare; order follows theirs, without regard to run time. `plain` are the
 * names of functions without a declaration.
 */
export function graphOf(definitions: readonly Definition[], plain: readonly string[] = []): Graph {
  const nodes = new Map<string, GraphNode>();
  const edges: GraphEdge[] = [];
  for (const definition of definitions) nodes.set(definition.name, nodeOf(definition));
  for (const name of plain) nodes.set(name, { name, kind: "function" });
  const add = (node: GraphNode) => {
    nodes.set(node.name, node);
    return node.name;
  };
  const bridge = definitions.find(({ kind }) => kind === "bridge")?.name;
  for (const { name, kind, calls, effects } of definitions) {
    // What the bridge calls follows from the subscribers' own declarations.
    if (kind === "bridge") {
      for (const { queue, to } of sourcesOf(definitions)) {
        edges.push({ from: name, to, protocol: "cloudevents" });
        const from = add({ name: `rabbitmq:${queue}`, kind: "queue" });
        edges.push({ from, to: name, protocol: "amqp" });
      }
      continue;
    }
    for (const callee of calls) {
      edges.push({ from: name, to: callee.name, protocol: callee.protocol });
    }
    for (const { system, destination } of effects) {
      const kind = system === "mongodb" ? "collection" : "queue";
      const protocol = system === "mongodb" ? "mongodb" : "amqp";
      edges.push({ from: name, to: add({ name: `${system}:${destination}`, kind }), protocol });
    }
  }
  if (!bridge) {
    for (const { queue, to } of sourcesOf(definitions)) {
      const from = add({ name: `rabbitmq:${queue}`, kind: "queue" });
      edges.push({ from, to, protocol: "cloudevents" });
    }
  }
  return { nodes: [...nodes.values()], edges };
}

function nodeOf({ name, kind, routes }: Definition): GraphNode {
  // The page's and the gateway's own routes are not triggered by way of the gateway.
  if (routes.length === 0 || kind === "gateway" || kind === "ui") return { name, kind };
  return {
    name,
    kind,
    routes: routes.map(({ body, ...route }) => {
      const schema = body && jsonSchemaOf(body as Schema);
      return { ...route, ...(schema && { body: schema }) };
    }),
  };
}

/** For OpenAPI; undefined where the validator's library cannot tell it (Standard JSON Schema). */
function jsonSchemaOf(schema: Schema): object | undefined {
  if (!isStandard(schema)) return schema;
  const standard = schema["~standard"] as {
    jsonSchema?: { input(options: { target: string }): object };
  };
  try {
    return standard.jsonSchema?.input({ target: "draft-2020-12" });
  } catch {
    return undefined;
  }
}
