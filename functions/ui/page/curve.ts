import type { Point } from "./layout.ts";

/** Two quadratic curves that meet in the middle: what cytoscape draws for an edge with two control points. */
export interface Curve {
  readonly start: Point;
  readonly controls: readonly [Point, Point];
  readonly end: Point;
}

/** An S along the layout's direction. `shift` moves its middle aside, for edges between the same two nodes. */
export function curveBetween(
  start: Point,
  end: Point,
  direction: "LR" | "TB",
  shift: number,
): Curve {
  const middle = { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 };
  const controls: [Point, Point] =
    direction === "LR"
      ? [
          { x: middle.x, y: start.y + shift },
          { x: middle.x, y: end.y + shift },
        ]
      : [
          { x: start.x + shift, y: middle.y },
          { x: end.x + shift, y: middle.y },
        ];
  return { start, controls, end };
}

/**
 * From the edge's middle to that of its label, `width` wide, which lies beside the line: what runs along the line stays
 * visible. On the right, unless the drawing, `room` wide, ends there.
 */
export function labelShift(
  { start, end }: Curve,
  { direction, width, room }: { direction: "LR" | "TB"; width: number; room: number },
): Point {
  const flat = 30;
  const runsAcross =
    direction === "LR" ? Math.abs(end.y - start.y) < flat : Math.abs(end.x - start.x) >= flat;
  if (runsAcross) return { x: 0, y: -17 };
  const aside = width / 2 + 5;
  const fits = (start.x + end.x) / 2 + aside + width / 2 <= room;
  return { x: fits ? aside : -aside, y: 0 };
}

/** The control points in cytoscape's terms: how far along the straight line, and how far beside it. */
export function bendsOf({ start, controls, end }: Curve): {
  weights: number[];
  distances: number[];
} {
  const [dx, dy] = [end.x - start.x, end.y - start.y];
  const length = Math.hypot(dx, dy) || 1;
  const offsets = controls.map(({ x, y }) => [x - start.x, y - start.y] as const);
  return {
    weights: offsets.map(([x, y]) => (x * dx + y * dy) / length ** 2),
    distances: offsets.map(([x, y]) => (y * dx - x * dy) / length),
  };
}

/** A point of the curve; `share` runs from 0 at its start to 1 at its end. */
export function pointOn({ start, controls: [first, second], end }: Curve, share: number): Point {
  const middle = { x: (first.x + second.x) / 2, y: (first.y + second.y) / 2 };
  return share < 0.5
    ? quadratic(start, first, middle, share * 2)
    : quadratic(middle, second, end, share * 2 - 1);
}

/** Close enough for the speed of what moves along it. */
export function lengthOf(curve: Curve): number {
  const steps = 16;
  let length = 0;
  for (let step = 0; step < steps; step++) {
    const [a, b] = [pointOn(curve, step / steps), pointOn(curve, (step + 1) / steps)];
    length += Math.hypot(b.x - a.x, b.y - a.y);
  }
  return length;
}

function quadratic(a: Point, control: Point, b: Point, t: number): Point {
  const at = (from: number, via: number, to: number) =>
    (1 - t) ** 2 * from + 2 * (1 - t) * t * via + t ** 2 * to;
  return { x: at(a.x, control.x, b.x), y: at(a.y, control.y, b.y) };
}
