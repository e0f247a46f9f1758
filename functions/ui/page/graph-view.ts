import cytoscape, { type Core } from "cytoscape";
import type { LiveGraph } from "../live.ts";
import { bendsOf, type Curve, curveBetween, labelShift } from "./curve.ts";
import type { EdgeFigure } from "./format.ts";
import { captionId, type DrawnElement, drawnElements, edgeId } from "./graph-elements.ts";
import { graphStyle, type Palette } from "./graph-style.ts";
import { isNarrow, type Layout, placeNodes } from "./layout.ts";

export interface GraphView {
  /** Draws what has changed; lays out anew only when a node or an edge has come or gone. */
  draw(graph: LiveGraph, shown: EdgeFigure): void;
  /** Fits the place, which has another size now. */
  resize(): void;
  select(ids: readonly string[]): void;
  paint(color: Palette): void;
  /** Where each edge runs, by its id: for what moves along it. */
  curves(): ReadonlyMap<string, Curve>;
  layout(): Layout | undefined;
  png(background: string): Promise<Blob>;
}

/** The drawn graph in `place`. It takes no pointer: buttons that lie over it do, which keyboards reach as well. */
export function createGraphView(place: HTMLElement, color: Palette): GraphView {
  const cy = cytoscape({
    container: place,
    style: graphStyle(color),
    layout: { name: "preset" },
    userZoomingEnabled: false,
    userPanningEnabled: false,
    boxSelectionEnabled: false,
    autoungrabify: true,
    autounselectify: true,
  });
  let current: LiveGraph | undefined;
  let layout: Layout | undefined;
  let curves = new Map<string, Curve>();
  let shown: EdgeFigure = "rate";
  let drawnIds = "";

  const shiftLabels = () => {
    for (const [id, curve] of curves) {
      const edge = cy.getElementById(id);
      const width = labelWidth(String(edge.data("label")));
      const direction = layout?.direction ?? "LR";
      const shift = labelShift(curve, { direction, width, room: place.clientWidth });
      edge.style({ "text-margin-x": shift.x, "text-margin-y": shift.y });
    }
  };
  const arrange = () => {
    if (!current || place.clientWidth === 0) return;
    layout = placeNodes(current, { width: place.clientWidth, height: place.clientHeight });
    curves = route(current, layout);
    const placed = layout;
    cy.batch(() => {
      for (const [name, position] of placed.positions) {
        const { width, height } = placed.sizes.get(name) ?? { width: 0, height: 0 };
        cy.getElementById(name)
          .position({ ...position })
          .style({ width, height });
        const below = height / 2 - 13;
        cy.getElementById(captionId(name)).position({ x: position.x, y: position.y + below });
      }
      for (const [id, curve] of curves) bend(cy, id, curve, placed);
      shiftLabels();
    });
    cy.viewport({ zoom: 1, pan: { x: 0, y: 0 } });
  };

  return {
    draw(graph, figure) {
      current = graph;
      shown = figure;
      const narrow = isNarrow({ width: place.clientWidth });
      const elements = drawnElements(graph, { shown, narrow });
      cy.batch(() => {
        update(cy, elements);
        shiftLabels();
      });
      const ids = elements.map(({ id }) => id).join("\n");
      if (ids === drawnIds) return;
      drawnIds = ids;
      arrange();
    },
    resize() {
      cy.resize();
      if (current) this.draw(current, shown);
      arrange();
    },
    select(ids) {
      cy.batch(() => {
        cy.elements(".selected").removeClass("selected");
        for (const id of ids) cy.getElementById(id).addClass("selected");
      });
    },
    paint: (next) => {
      cy.style(graphStyle(next));
    },
    curves: () => curves,
    layout: () => layout,
    png: (bg) => cy.png({ output: "blob-promise", bg, full: true, scale: 2 }),
  };
}

/** Nearly: a letter of the labels' font is so wide. */
function labelWidth(label: string): number {
  return 6.8 * Math.max(...label.split("\n").map(({ length }) => length));
}

function update(cy: Core, elements: readonly DrawnElement[]): void {
  const wanted = new Set(elements.map(({ id }) => id));
  cy.elements().forEach((drawn) => {
    if (!wanted.has(drawn.id())) drawn.remove();
  });
  for (const { id, group, data, classes } of elements) {
    const drawn = cy.getElementById(id);
    if (drawn.empty()) cy.add({ group, data: { id, ...data }, classes });
    else {
      drawn.data({ ...data });
      const kept = drawn.hasClass("selected") ? `${classes} selected` : classes;
      drawn.classes(kept.split(" "));
    }
  }
}

/** Edges leave on the side to which the layout runs, and arrive on the other. */
function route({ edges }: LiveGraph, { positions, sizes, direction }: Layout): Map<string, Curve> {
  const side = (name: string, sign: 1 | -1) => {
    const at = positions.get(name);
    const size = sizes.get(name);
    if (!at || !size) return undefined;
    const { width, height } = size;
    return direction === "LR"
      ? { x: at.x + (sign * width) / 2, y: at.y }
      : { x: at.x, y: at.y + (sign * height) / 2 };
  };
  const seen = new Map<string, number>();
  const curves = new Map<string, Curve>();
  for (const edge of edges) {
    const [start, end] = [side(edge.from, 1), side(edge.to, -1)];
    if (!start || !end) continue;
    const pair = `${edge.from}>${edge.to}`;
    const earlier = seen.get(pair) ?? 0;
    seen.set(pair, earlier + 1);
    curves.set(edgeId(edge), curveBetween(start, end, direction, earlier * 34));
  }
  return curves;
}

function bend(cy: Core, id: string, curve: Curve, { direction }: Layout): void {
  const { weights, distances } = bendsOf(curve);
  const sides = direction === "LR" ? ["50% 0%", "-50% 0%"] : ["0% 50%", "0% -50%"];
  cy.getElementById(id).style({
    "edge-distances": "endpoints",
    "source-endpoint": sides[0],
    "target-endpoint": sides[1],
    "control-point-weights": weights.map((weight) => weight.toFixed(4)).join(" "),
    "control-point-distances": distances.map((distance) => distance.toFixed(2)).join(" "),
  });
}
