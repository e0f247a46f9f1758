import type { Figures, LiveEdge, LiveGraph, LiveNode } from "../live.ts";
import type { Selection } from "./api.ts";
import { button, element, setText } from "./dom.ts";
import {
  deadLettersText,
  edgeName,
  kindName,
  milliseconds,
  nodeName,
  protocolNames,
  rate,
  share,
} from "./format.ts";
import { edgeId } from "./graph-elements.ts";

export interface GraphTable {
  update(graph: LiveGraph): void;
  /** Hidden, it is still there for screen readers; its buttons are then no stops of the Tab key. */
  show(visible: boolean): void;
}

interface Row {
  readonly row: HTMLTableRowElement;
  readonly name: HTMLButtonElement;
  readonly cells: readonly HTMLTableCellElement[];
}

/** The graph as two tables, which say all that the drawing says. */
export function createGraphTable(
  place: HTMLElement,
  onSelect: (selection: Selection, id: string) => void,
): GraphTable {
  const nodes = table("Functions, queues and collections", ["Name", "Kind", "State", "Waiting"]);
  const edges = table("Who calls whom", ["From and to", "Protocol"]);
  place.append(nodes.scroller, edges.scroller);
  let visible = false;

  return {
    update(graph) {
      nodes.update(graph.nodes.map(nodeRow), visible, onSelect);
      edges.update(graph.edges.map(edgeRow), visible, onSelect);
    },
    show(next) {
      visible = next;
      place.classList.toggle("visually-hidden", !visible);
      for (const { name } of [...nodes.rows.values(), ...edges.rows.values()]) {
        name.tabIndex = visible ? 0 : -1;
      }
      for (const { scroller } of [nodes, edges]) {
        if (visible) scroller.tabIndex = 0;
        else scroller.removeAttribute("tabindex");
      }
    },
  };
}

interface RowContent {
  readonly id: string;
  readonly name: string;
  readonly selection: Selection;
  readonly texts: readonly string[];
  readonly failing: boolean;
}

function nodeRow(node: LiveNode): RowContent {
  const { name, state, depth, figures, woken } = node;
  const known = [state === "unknown" ? "" : state, woken ? "woken" : "", deadLettersText(node)];
  const waiting = typeof depth === "number" ? String(depth) : "";
  return {
    id: name,
    name: nodeName(node),
    selection: { kind: "node", name },
    texts: [
      kindName(node),
      known.filter(Boolean).join(", ") || "–",
      waiting,
      ...figureTexts(figures),
    ],
    failing: figures.errorShare > 0 || state === "stopped",
  };
}

function edgeRow(edge: LiveEdge): RowContent {
  const { from, to, protocol, declared, figures } = edge;
  return {
    id: edgeId(edge),
    name: edgeName(edge),
    selection: { kind: "edge", from, to },
    texts: [
      `${protocolNames[protocol]}${declared ? "" : " (not declared)"}`,
      ...figureTexts(figures),
    ],
    failing: figures.errorShare > 0,
  };
}

function figureTexts({ requestsPerSecond, p50, p95, p99, errorShare }: Figures): string[] {
  return [rate(requestsPerSecond), ...[p50, p95, p99].map(milliseconds), share(errorShare)];
}

function table(caption: string, columns: readonly string[]) {
  const all = [...columns, "Requests", "p50", "p95", "p99", "Errors"];
  const body = element("tbody");
  const head = element(
    "tr",
    {},
    ...all.map((name, index) =>
      element("th", { scope: "col", class: index < columns.length ? undefined : "number" }, name),
    ),
  );
  const made = element(
    "table",
    {},
    element("caption", {}, caption),
    element("thead", {}, head),
    body,
  );
  const scroller = element(
    "div",
    { class: "scroller", role: "region", "aria-label": caption },
    made,
  );
  const rows = new Map<string, Row>();

  const add = (content: RowContent, onSelect: (selection: Selection, id: string) => void): Row => {
    const name = button("", () => onSelect(content.selection, content.id), { class: "link" });
    const cells = content.texts.map((_text, index) =>
      element("td", { class: index < columns.length - 1 ? undefined : "number" }),
    );
    const row = element("tr", {}, element("th", { scope: "row" }, name), ...cells);
    body.append(row);
    return { row, name, cells };
  };
  return {
    scroller,
    rows,
    update(
      contents: readonly RowContent[],
      visible: boolean,
      onSelect: (selection: Selection, id: string) => void,
    ) {
      const wanted = new Set(contents.map(({ id }) => id));
      for (const [id, { row }] of rows) {
        if (wanted.has(id)) continue;
        row.remove();
        rows.delete(id);
      }
      for (const content of contents) {
        const found = rows.get(content.id) ?? add(content, onSelect);
        rows.set(content.id, found);
        found.name.tabIndex = visible ? 0 : -1;
        setText(found.name, content.name);
        found.row.classList.toggle("failing", content.failing);
        for (const [index, cell] of found.cells.entries())
          setText(cell, content.texts[index] ?? "");
      }
    },
  };
}
