import type { LiveGraph } from "../live.ts";
import type { Selection } from "./api.ts";
import { find } from "./dom.ts";
import { download } from "./download.ts";
import type { EdgeFigure } from "./format.ts";
import { createGraphButtons } from "./graph-buttons.ts";
import { readPalette } from "./graph-style.ts";
import { createGraphTable } from "./graph-table.ts";
import { createGraphView } from "./graph-view.ts";
import { createTraffic } from "./traffic.ts";

export interface GraphSection {
  update(graph: LiveGraph): void;
  /** The theme has changed. */
  repaint(): void;
}

/** The graph as a drawing, with what moves in it and the buttons over it, and as tables. */
export function createGraphSection(onSelect: (selection: Selection) => void): GraphSection {
  const stage = find("stage", HTMLElement);
  const figure = find("edge-figure", HTMLSelectElement);
  const all = find("select-all", HTMLButtonElement);
  let palette = readPalette();
  let graph: LiveGraph | undefined;
  let selected: string | undefined;

  const select = (selection: Selection, id?: string) => {
    selected = id;
    all.hidden = selection.kind === "all";
    view.select(id === undefined ? [] : [id]);
    buttons.select(id);
    onSelect(selection);
  };
  const view = createGraphView(find("drawing", HTMLElement), palette);
  const traffic = createTraffic(find("traffic", HTMLCanvasElement), palette);
  const buttons = createGraphButtons(find("hits", HTMLElement), select);
  const table = createGraphTable(find("graph-tables", HTMLElement), select);
  all.addEventListener("click", () => select({ kind: "all" }));

  const place = () => {
    const layout = view.layout();
    if (!layout) return;
    // Only a graph that is larger than its place moves what is below it.
    stage.style.minHeight = `${layout.minHeight}px`;
    buttons.place(layout, view.curves());
  };
  const update = (next: LiveGraph) => {
    graph = next;
    view.draw(next, figure.value as EdgeFigure);
    buttons.update(next);
    place();
    table.update(next);
    traffic.update(next, view.curves());
    stage.dataset.drawn = "true";
    if (selected !== undefined) view.select([selected]);
  };
  figure.addEventListener("change", () => graph && view.draw(graph, figure.value as EdgeFigure));
  new ResizeObserver(() => {
    traffic.resize();
    view.resize();
    place();
  }).observe(stage);

  for (const choice of document.querySelectorAll<HTMLInputElement>("input[name=view]")) {
    choice.addEventListener("change", () => {
      stage.hidden = choice.value === "table";
      table.show(choice.value === "table");
    });
  }
  find("export-png", HTMLButtonElement).addEventListener("click", async () => {
    download("greetings-graph.png", await view.png(palette("surface")));
  });
  find("export-json", HTMLButtonElement).addEventListener("click", () => {
    const text = `${JSON.stringify(graph, null, 2)}\n`;
    download("greetings-graph.json", new Blob([text], { type: "application/json" }));
  });

  return {
    update,
    repaint() {
      palette = readPalette();
      view.paint(palette);
      traffic.paint(palette);
    },
  };
}
