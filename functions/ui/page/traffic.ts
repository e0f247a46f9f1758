import type { LiveGraph } from "../live.ts";
import { type Curve, lengthOf, pointOn } from "./curve.ts";
import { edgeId } from "./graph-elements.ts";
import type { Palette } from "./graph-style.ts";

export interface Traffic {
  /** Takes the requests since the last graph on their way. */
  update(graph: LiveGraph, curves: ReadonlyMap<string, Curve>): void;
  /** The drawing has another size, or other colours. */
  resize(): void;
  paint(color: Palette): void;
}

interface Lane {
  readonly protocol: string;
  requests: number;
  /** Dots that are owed: below one until the next request. */
  owed: number;
  failures: number;
  dots: { passed: number; failed: boolean }[];
}

const pixelsPerSecond = 110;
/** More would be a line. */
const mostPerSecond = 12;

/**
 * A dot for each request, which runs along its edge; a failed one is a red diamond. Nothing moves for readers who
 * asked their system for less motion, nor while the page is out of sight.
 */
export function createTraffic(canvas: HTMLCanvasElement, firstColor: Palette): Traffic {
  const pen = canvas.getContext("2d");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const lanes = new Map<string, Lane>();
  let routes: ReadonlyMap<string, Curve> = new Map();
  let color = firstColor;
  let updated = performance.now();
  let frame: number | undefined;
  let last = 0;

  const draw = (now: number) => {
    frame = undefined;
    const seconds = Math.min(0.1, (now - last) / 1_000);
    last = now;
    pen?.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    let moving = false;
    for (const [id, lane] of lanes) {
      const curve = routes.get(id);
      const length = curve ? lengthOf(curve) : 0;
      for (const dot of lane.dots) dot.passed += seconds * pixelsPerSecond;
      lane.dots = lane.dots.filter(({ passed }) => passed < length);
      moving ||= lane.dots.length > 0;
      for (const { passed, failed } of lane.dots) {
        if (!pen || !curve || passed < 0) continue;
        const { x, y } = pointOn(curve, passed / length);
        pen.fillStyle = color(failed ? "error" : lane.protocol);
        pen.beginPath();
        if (failed) diamond(pen, x, y);
        else pen.arc(x, y, 3.2, 0, 2 * Math.PI);
        pen.fill();
      }
    }
    if (moving) wake();
  };
  const wake = () => {
    if (frame !== undefined) return;
    frame = requestAnimationFrame(draw);
  };
  const rest = () => {
    for (const lane of lanes.values()) lane.dots = [];
    pen?.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  };
  still.addEventListener("change", rest);

  return {
    update(graph, curves) {
      routes = curves;
      const now = performance.now();
      const seconds = Math.min(2, (now - updated) / 1_000);
      updated = now;
      // Spread over the time that they came in, as far as one can wait to see them.
      const spread = Math.min(1, Math.max(0.2, seconds));
      for (const edge of graph.edges) {
        const id = edgeId(edge);
        const { requests, requestsPerSecond, errorShare } = edge.figures;
        const lane = lanes.get(id) ?? newLane(edge.protocol, requests);
        lanes.set(id, lane);
        const arrived = Math.max(0, requests - lane.requests);
        lane.requests = requests;
        // The window hides arrivals that are as many as those that leave it, so the rate counts as well.
        lane.owed = requests === 0 ? 0 : lane.owed + requestsPerSecond * seconds;
        const due = Math.min(Math.max(arrived, Math.floor(lane.owed)), mostPerSecond);
        lane.owed = Math.max(-1, Math.min(1, lane.owed - due));
        for (let dot = 0; dot < due; dot++) {
          lane.failures += errorShare;
          const failed = lane.failures >= 1;
          if (failed) lane.failures -= 1;
          lane.dots.push({ passed: (-dot / due) * spread * pixelsPerSecond, failed });
        }
        if (errorShare === 0) lane.failures = 0;
      }
      if (still.matches || document.hidden) rest();
      else if (frame === undefined) {
        last = performance.now();
        wake();
      }
    },
    resize() {
      const scale = window.devicePixelRatio || 1;
      canvas.width = Math.round(canvas.clientWidth * scale);
      canvas.height = Math.round(canvas.clientHeight * scale);
      pen?.setTransform(scale, 0, 0, scale, 0, 0);
    },
    paint(next) {
      color = next;
    },
  };
}

/** What is in the window already, has passed before the page was opened. */
function newLane(protocol: string, requests: number): Lane {
  return { protocol, requests, owed: 0, failures: 0, dots: [] };
}

function diamond(pen: CanvasRenderingContext2D, x: number, y: number): void {
  const half = 4.6;
  pen.moveTo(x, y - half);
  pen.lineTo(x + half, y);
  pen.lineTo(x, y + half);
  pen.lineTo(x - half, y);
  pen.closePath();
}
