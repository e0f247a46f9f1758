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
  readonly sizes: ReadonlyMap<string, Size>;
}

/** The narrowest place in which the declared graph's ranks stand side by side with room for labels between them. */
export const wideEnough = 1_000;

/** Below it the names of queues and collections take two lines, so that four nodes stand side by side. */
const narrow = 560;

const margin = 10;

export function isNarrow({ width }: Pick<Size, "width">): boolean {
  return width < narrow;
}

function nodeSize(kind: LiveGraph["nodes"][number]["kind"], place: Size): Size {
  const outside = kind === "collection" || kind === "queue";
  if (isNarrow(place)) return { width: 78, height: outside ? 60 : 44 };
  return { width: outside ? 118 : 104, height: kind === "collection" ? 50 : 44 };
}

/**
 * Layers by dagre, stretched to fill the place: so text keeps its size on every screen, where zooming out would
 * make it unreadable on small ones.
 */
export function placeNodes({ nodes, edges }: LiveGraph, place: Size): Layout {
  const direction = place.width >= wideEnough ? "LR" : "TB";
  const graph = new Graph();
  graph.setGraph({ rankdir: direction, nodesep: 10, ranksep: 60, edgesep: 4 });
  graph.setDefaultEdgeLabel(() => ({}));
  const sizes = new Map(nodes.map(({ name, kind }) => [name, nodeSize(kind, place)]));
  for (const [name, size] of sizes) graph.setNode(name, { ...size });
  for (const { from, to } of edges) {
    if (graph.hasNode(from) && graph.hasNode(to)) graph.setEdge(from, to);
  }
  layout(graph);
  const drawn = [...sizes].map(([name, { width, height }]) => {
    const { x, y } = graph.node(name) as Point;
    return { name, x, y, width, height };
  });
  const across = stretch(
    drawn.map(({ x, width }) => ({ at: x, size: width })),
    place.width,
  );
  const down = stretch(
    drawn.map(({ y, height }) => ({ at: y, size: height })),
    place.height,
  );
  const positions = new Map(drawn.map(({ name, x, y }) => [name, { x: across(x), y: down(y) }]));
  return { direction, positions, sizes };
}

/** Maps one coordinate so that the outermost nodes touch the margins; in the middle where all are in one line. */
function stretch(spans: readonly { at: number; size: number }[], length: number) {
  const low = Math.min(...spans.map(({ at }) => at));
  const high = Math.max(...spans.map(({ at }) => at));
  const half = Math.max(...spans.map(({ size }) => size)) / 2 + margin;
  if (high === low) return () => length / 2;
  return (at: number) => half + ((at - low) / (high - low)) * (length - 2 * half);
}
