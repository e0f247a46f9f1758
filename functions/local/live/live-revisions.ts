import type { Graph } from "#host/kinds/graph";
import type { LiveNode } from "../../ui/live.ts";
import { type Canary, versions } from "../canary/canary.ts";
import { graphOf } from "../declared-graph.ts";

/** The declared graph with a canary as a node of its own, which the callers of its function call too. */
export function graphWith(graph: Graph, canary: Canary | undefined): Graph {
  if (!canary) return graph;
  const { of, name, definition } = canary;
  const own = graphOf([{ ...definition, name, routes: [] }]);
  const known = new Set(graph.nodes.map((node) => node.name));
  const calls = graph.edges.filter(({ to }) => to === of).map((edge) => ({ ...edge, to: name }));
  // What brings a queue's messages is the bridge, for both of them.
  const outgoing = own.edges.filter(({ from }) => from === name);
  return {
    nodes: [...graph.nodes, ...own.nodes.filter((node) => !known.has(node.name))],
    edges: [...graph.edges, ...calls, ...outgoing],
  };
}

type Counted = Omit<LiveNode, "state">;

/** Says of the two nodes of a function with a canary which version they are, and what part of the requests each got. */
export function withRevisions(nodes: readonly Counted[], canary: Canary | undefined): Counted[] {
  if (!canary) return [...nodes];
  const { of, name } = canary;
  const both = nodes.filter((node) => node.name === of || node.name === name);
  const all = both.reduce((sum, { figures }) => sum + figures.requests, 0);
  return nodes.map((node) => {
    if (!both.includes(node)) return node;
    const version = node.name === of ? versions.own : versions.canary;
    const share = all === 0 ? null : node.figures.requests / all;
    return { ...node, revision: { of, name: version, share } };
  });
}
