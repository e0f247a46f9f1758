import type { LiveGraph } from "../live.ts";
import type { Selection } from "./api.ts";
import { type Curve, labelShift, pointOn } from "./curve.ts";
import { element, setText } from "./dom.ts";
import { deadLettersText, edgeName, kindName, nodeName, protocolNames, spoken } from "./format.ts";
import { edgeId } from "./graph-elements.ts";
import type { Layout, Point, Size } from "./layout.ts";

export interface GraphButtons {
  /** Makes one button for each node and edge, and says their figures anew. */
  update(graph: LiveGraph): void;
  place(layout: Layout, curves: ReadonlyMap<string, Curve>): void;
  select(id: string | undefined): void;
}

const edgeSize: Size = { width: 48, height: 36 };
const arrows = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];

/**
 * Transparent buttons over the drawing, which make it usable by pointer, touch, keyboard and screen reader alike. For
 * Tab they are one stop: the arrow keys go to the nearest one in their direction.
 */
export function createGraphButtons(
  place: HTMLElement,
  onSelect: (selection: Selection, id: string) => void,
): GraphButtons {
  const buttons = new Map<string, { button: HTMLButtonElement; at: Point }>();

  const reach = (id: string) => {
    for (const [other, { button }] of buttons) button.tabIndex = other === id ? 0 : -1;
    buttons.get(id)?.button.focus();
  };
  const add = (id: string, selection: Selection) => {
    const button = element("button", { type: "button", class: "hit", "aria-pressed": "false" });
    button.append(element("span", { class: "visually-hidden" }));
    button.tabIndex = buttons.size === 0 ? 0 : -1;
    button.addEventListener("click", () => {
      for (const { button } of buttons.values()) button.tabIndex = -1;
      button.tabIndex = 0;
      onSelect(selection, id);
    });
    button.addEventListener("keydown", (event) => {
      if (!arrows.includes(event.key)) return;
      event.preventDefault();
      const next = nearest(buttons, id, event.key);
      if (next) reach(next);
    });
    place.append(button);
    buttons.set(id, { button, at: { x: 0, y: 0 } });
  };
  const say = (id: string, text: string) => {
    const button = buttons.get(id)?.button;
    if (!button?.firstChild) return;
    setText(button.firstChild, text);
    button.title = text;
  };

  return {
    update({ nodes, edges }) {
      const ids = new Set([...nodes.map(({ name }) => name), ...edges.map(edgeId)]);
      for (const [id, { button }] of buttons) {
        if (ids.has(id)) continue;
        button.remove();
        buttons.delete(id);
      }
      for (const node of nodes) {
        const { name, state, figures, depth, woken } = node;
        if (!buttons.has(name)) add(name, { kind: "node", name });
        const waiting = typeof depth === "number" ? `, ${depth} waiting` : "";
        const dead = deadLettersText(node);
        const known = `${state === "unknown" ? "" : `, ${state}`}${woken ? ", woken" : ""}`;
        say(
          name,
          `${nodeName(node)}, ${kindName(node)}${known}${waiting}${dead && `, ${dead}`}: ${spoken(figures)}`,
        );
      }
      for (const edge of edges) {
        const { from, to, protocol, figures, declared } = edge;
        const id = edgeId(edge);
        if (!buttons.has(id)) add(id, { kind: "edge", from, to });
        const drift = declared ? "" : ", not declared";
        say(id, `${edgeName(edge)} by ${protocolNames[protocol]}${drift}: ${spoken(figures)}`);
      }
    },
    place({ positions, sizes, direction }, curves) {
      for (const [id, entry] of buttons) {
        const curve = curves.get(id);
        const at = positions.get(id) ?? (curve && middleOf(curve, direction));
        const { width, height } = sizes.get(id) ?? edgeSize;
        entry.button.hidden = !at;
        if (!at) continue;
        entry.at = at;
        const { style } = entry.button;
        style.width = `${width}px`;
        style.height = `${height}px`;
        style.left = `${at.x - width / 2}px`;
        style.top = `${at.y - height / 2}px`;
      }
    },
    select(id) {
      for (const [other, { button }] of buttons) {
        button.setAttribute("aria-pressed", String(other === id));
      }
    },
  };
}

/** Between the line and its label, so that both are hit. */
function middleOf(curve: Curve, direction: Layout["direction"]): Point {
  const at = pointOn(curve, 0.5);
  const room = Number.POSITIVE_INFINITY;
  const shift = labelShift(curve, { direction, width: 40, room });
  return { x: at.x + shift.x * 0.5, y: at.y + shift.y * 0.5 };
}

/** The nearest in the key's direction, where what lies aside counts double. */
function nearest(
  buttons: ReadonlyMap<string, { at: Point }>,
  from: string,
  key: string,
): string | undefined {
  const here = buttons.get(from)?.at;
  if (!here) return undefined;
  const sideways = key === "ArrowLeft" || key === "ArrowRight";
  const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  let best: string | undefined;
  let bestCost = Number.POSITIVE_INFINITY;
  for (const [id, { at }] of buttons) {
    const [dx, dy] = [at.x - here.x, at.y - here.y];
    const along = sign * (sideways ? dx : dy);
    const aside = Math.abs(sideways ? dy : dx);
    const cost = along + 2 * aside;
    if (along <= 4 || cost >= bestCost) continue;
    best = id;
    bestCost = cost;
  }
  return best;
}
