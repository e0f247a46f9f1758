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
  /** The lowest place that the graph fits into. Positions are for this height where `place` is lower. */
  readonly minHeight: number;
}

/** The narrowest place in which ranks stand side by side. */
export const wideEnough = 1_000;

/** What a rank takes of it, with room for labels between the ranks. */
const rankWidth = 124;

/** Below this width the names of queues and collections take two lines, so that four nodes stand side by side. */
const narrow = 560;

const margin = 10;

/** Between nodes that are side by side, and between rows, where the edges' labels are. */
const gap = 4;
const rowGap = 24;

export function isNarrow({ width }: Pick<Size, "width">): boolean {
  return width < narrow;
}

function nodeSize(kind: LiveGraph["nodes"][number]["kind"], place: Size): Size {
  const outside = kind === "collection" || kind === "queue";
  if (isNarrow(place)) return { width: 78, height: outside ? 60 : 44 };
  return { width: outside ? 118 : 104, height: kind === "collection" ? 50 : 44 };
}

/**
 * Ranks by dagre, stretched to fill the place: text then keeps its size on every screen, where zooming out would make
 * it unreadable on small ones. A rank that is too wide for the place becomes several rows.
 */
export function placeNodes({ nodes, edges }: LiveGraph, place: Size): Layout {
  const sizes = new Map(nodes.map(({ name, kind }) => [name, nodeSize(kind, place)]));
  const largest = {
    width: Math.max(0, ...[...sizes.values()].map(({ width }) => width)),
    height: Math.max(0, ...[...sizes.values()].map(({ height }) => height)),
  };
  const wide = place.width >= wideEnough ? ranksOf(edges, sizes, "LR") : undefined;
  const inColumns = wide && wide.length * rankWidth <= place.width;
  if (wide && inColumns) {
    const most = Math.max(...wide.map(({ length }) => length));
    const minHeight = 2 * margin + most * (largest.height + gap);
    const positions = placeRows(wide, {
      along: { length: place.width, size: largest.width },
      across: { length: Math.max(place.height, minHeight), size: largest.height },
    });
    const turned = [...positions].map(([name, { along, across }]) => {
      return [name, { x: along, y: across }] as const;
    });
    return { direction: "LR", positions: new Map(turned), sizes, minHeight };
  }
  const room = place.width - 2 * margin + gap;
  const most = Math.max(1, Math.floor(room / (largest.width + gap)));
  const rows = ranksOf(edges, sizes, "TB").flatMap((rank) => inRows(rank, most));
  const minHeight = 2 * margin + rows.length * (largest.height + rowGap);
  const positions = placeRows(rows, {
    along: { length: Math.max(place.height, minHeight), size: largest.height },
    across: { length: place.width, size: largest.width },
  });
  const straight = [...positions].map(([name, { along, across }]) => {
    return [name, { x: across, y: along }] as const;
  });
  return { direction: "TB", positions: new Map(straight), sizes, minHeight };
}

interface Ranked {
  readonly name: string;
  /** By dagre, in its own scale. */
  readonly across: number;
}

/** Nodes by their ranks, each rank in its order. */
function ranksOf(
  edges: LiveGraph["edges"],
  sizes: ReadonlyMap<string, Size>,
  direction: Layout["direction"],
): Ranked[][] {
  const graph = new Graph();
  graph.setGraph({ rankdir: direction, nodesep: 10, ranksep: 60, edgesep: 4 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const [name, size] of sizes) graph.setNode(name, { ...size });
  for (const { from, to } of edges) {
    if (graph.hasNode(from) && graph.hasNode(to)) graph.setEdge(from, to);
  }
  layout(graph);
  const placed = [...sizes.keys()].map((name) => {
    const { x, y } = graph.node(name) as Point;
    return direction === "LR" ? { name, along: x, across: y } : { name, along: y, across: x };
  });
  const ranks = Map.groupBy(placed, ({ along }) => Math.round(along));
  return [...ranks]
    .sort(([a], [b]) => a - b)
    .map(([, rank]) => rank.sort((a, b) => a.across - b.across));
}

/** Neighbours go to different rows, so that each row spreads over the whole width. */
function inRows(rank: readonly Ranked[], most: number): Ranked[][] {
  const count = Math.ceil(rank.length / most);
  return Array.from({ length: count }, (_, row) => rank.filter((_, i) => i % count === row));
}

interface Axis {
  readonly length: number;
  /** Of the largest node. */
  readonly size: number;
}

function placeRows(
  rows: readonly (readonly Ranked[])[],
  axes: { along: Axis; across: Axis },
): Map<string, { along: number; across: number }> {
  const along = stretch([0, rows.length - 1], axes.along);
  const across = stretch(
    rows.flat().map((one) => one.across),
    axes.across,
  );
  return new Map(
    rows.flatMap((row, index) => {
      const wanted = row.map((one) => across(one.across));
      const found = apart(wanted, axes.across);
      return row.map(({ name }, i) => {
        return [name, { along: along(index), across: found[i] ?? 0 }] as const;
      });
    }),
  );
}

/** Moves what is too near to its neighbour: on from the first, then back from the end of the place. */
function apart(wanted: readonly number[], { length, size }: Axis): number[] {
  const placed = [...wanted];
  for (let i = 1; i < placed.length; i++) {
    placed[i] = Math.max(placed[i] ?? 0, (placed[i - 1] ?? 0) + size + gap);
  }
  let limit = length - margin - size / 2;
  for (let i = placed.length - 1; i >= 0; i--) {
    placed[i] = Math.min(placed[i] ?? 0, limit);
    limit = (placed[i] ?? 0) - size - gap;
  }
  return placed;
}

/** Maps one coordinate so that the outermost nodes touch the margins; in the middle where all are in one line. */
function stretch(values: readonly number[], { length, size }: Axis) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const half = size / 2 + margin;
  if (high === low) return () => length / 2;
  return (at: number) => half + ((at - low) / (high - low)) * (length - 2 * half);
}
