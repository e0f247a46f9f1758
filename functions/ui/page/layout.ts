import { Graph, layout } from "@dagrejs/dagre";
import type { LiveGraph } from "../live.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  /** Left to right where there is room for all ranks side by side, else top to bottom. */
  readonly direction: "LR" | "TB";
  readonly positions: ReadonlyMap<string, Point>;
}

/** The narrowest place in which the declared graph's ranks stand side by side with room for labels between them. */
export const wideEnough = 1_000;

const margin = 14;

export function nodeSize(kind: LiveGraph["nodes"][number]["kind"]): Size {
  return kind === "collection" ? { width: 112, height: 50 } : { width: 104, height: 44 };
}

/**
 * Layers by dagre, stretched to fill the place: so text keeps its size on every screen, where zooming out would
 * make it unreadable on small ones.
 */
export function placeNodes({ nodes, edges }: LiveGraph, place: Size): Layout {
  const direction = place.width >= wideEnough ? "LR" : "TB";
  const graph = new Graph();
  graph.setGraph({ rankdir: direction, nodesep: 14, ranksep: 60, edgesep: 6 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { name, kind } of nodes) graph.setNode(name, { ...nodeSize(kind) });
  for (const { from, to } of edges) {
    if (graph.hasNode(from) && graph.hasNode(to)) graph.setEdge(from, to);
  }
  layout(graph);
  const found = nodes.map(({ name, kind }) => {
    const { x, y } = graph.node(name) as Point;
    return { name, x, y, ...nodeSize(kind) };
  });
  const across = stretch(
    found.map(({ x, width }) => ({ at: x, size: width })),
    place.width,
  );
  const down = stretch(
    found.map(({ y, height }) => ({ at: y, size: height })),
    place.height,
  );
  return {
    direction,
    positions: new Map(found.map(({ name, x, y }) => [name, { x: across(x), y: down(y) }])),
  };
}

/** Maps one coordinate so that the outermost nodes touch the margins; in the middle where all are in one line. */
function stretch(spans: readonly { at: number; size: number }[], length: number) {
  const low = Math.min(...spans.map(({ at }) => at));
  const high = Math.max(...spans.map(({ at }) => at));
  const half = Math.max(...spans.map(({ size }) => size)) / 2 + margin;
  if (high === low) return () => length / 2;
  return (at: number) => half + ((at - low) / (high - low)) * (length - 2 * half);
}
