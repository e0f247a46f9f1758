import type { StylesheetJson } from "cytoscape";
import type { LiveEdge } from "../live.ts";
import { element } from "./dom.ts";

/** The page's colours by their names in app.css, as they are in the theme of the moment. */
export type Palette = (name: string) => string;

/** Colours are declared once, in CSS. A canvas wants them resolved, and only an element's own colour is. */
export function readPalette(): Palette {
  const probe = element("span", { hidden: true });
  document.body.append(probe);
  const names = ["text", "muted", "surface", "raised", "border", "accent"];
  const all = [...names, "warning", "error", ...Object.keys(lineStyles)];
  const colors = all.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color] as const;
  });
  probe.remove();
  const byName = new Map(colors);
  return (name) => byName.get(name) ?? "gray";
}

/** Protocols differ by their lines too, for those who see no difference between the colours. app.css has the same for the legend. */
const lineStyles: Readonly<Record<LiveEdge["protocol"], readonly number[] | undefined>> = {
  http: undefined,
  grpc: [10, 3],
  amqp: [5, 4],
  mongodb: [1.5, 3.5],
  cloudevents: [9, 3, 2, 3],
};

export const fontFamily = 'Inter, system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif';

/** Straight sides between two flat arcs, as databases are drawn; from -1 to 1 in both directions. */
const cylinder = [...arc(-1), ...arc(1)];

function arc(side: 1 | -1): number[] {
  const steps = 16;
  return Array.from({ length: steps + 1 }, (_none, step) => {
    const angle = (step / steps) * Math.PI;
    const x = side * Math.cos(angle);
    return [x, side * (0.8 + 0.2 * Math.sin(angle))];
  }).flat();
}

/** How the graph is drawn; classes are those that graph-elements.ts gives. */
export function graphStyle(color: Palette): StylesheetJson {
  return [
    {
      selector: "node",
      style: {
        shape: "round-rectangle",
        "corner-radius": "8",
        label: "data(label)",
        "text-wrap": "wrap",
        "line-height": 1.15,
        "font-family": fontFamily,
        "font-size": 12.5,
        "font-weight": 600,
        color: color("text"),
        "text-valign": "center",
        "text-halign": "center",
        "text-margin-y": -8,
        "background-color": color("raised"),
        "border-width": 1.25,
        "border-color": color("border"),
      },
    },
    {
      selector: "node.collection",
      style: {
        shape: "polygon",
        "shape-polygon-points": cylinder.join(" "),
        "font-size": 11,
        "text-margin-y": -7,
      },
    },
    {
      selector: "node.queue",
      style: { "border-style": "double", "border-width": 4, "font-size": 12 },
    },
    { selector: "node.bridge", style: { shape: "cut-rectangle" } },
    {
      selector: "node.gateway",
      style: { "border-color": color("accent"), "border-width": 2, color: color("accent") },
    },
    {
      selector: "node.caption",
      style: {
        shape: "rectangle",
        width: 1,
        height: 1,
        "background-opacity": 0,
        "border-width": 0,
        "text-margin-y": 0,
        "font-size": 11,
        "font-weight": 400,
        color: color("muted"),
      },
    },
    { selector: "node.caption.gateway", style: { "border-width": 0, color: color("muted") } },
    {
      selector: "node.waiting",
      style: { "border-color": color("warning"), "border-style": "dashed" },
    },
    {
      selector: "node.stopped",
      style: {
        "background-color": color("surface"),
        "border-color": color("muted"),
        "border-style": "dashed",
        color: color("muted"),
      },
    },
    { selector: "node.error", style: { "border-color": color("error"), "border-width": 2 } },
    { selector: "node.caption.alarm", style: { color: color("error"), "font-weight": 600 } },
    { selector: "node.caption", style: { "border-width": 0 } },
    {
      selector: "edge",
      style: {
        "curve-style": "unbundled-bezier",
        width: "data(width)",
        "line-opacity": 0.9,
        "target-arrow-shape": "triangle",
        "arrow-scale": 0.85,
        label: "data(label)",
        "text-wrap": "wrap",
        "font-family": fontFamily,
        "font-size": 10.5,
        "font-weight": 500,
        "line-height": 1.2,
        "text-background-color": color("surface"),
        "text-background-opacity": 0.92,
        "text-background-padding": "2",
        "text-background-shape": "roundrectangle",
      },
    },
    ...Object.entries(lineStyles).map(([protocol, dashes]) => ({
      selector: `edge.${protocol}`,
      style: {
        "line-color": color(protocol),
        "target-arrow-color": color(protocol),
        color: color(protocol),
        ...(dashes && { "line-style": "dashed" as const, "line-dash-pattern": [...dashes] }),
      },
    })),
    { selector: "edge.idle", style: { "line-opacity": 0.5 } },
    {
      selector: "edge.error",
      style: {
        "line-color": color("error"),
        "target-arrow-color": color("error"),
        color: color("error"),
        "line-opacity": 1,
        "font-weight": 600,
      },
    },
    {
      selector: "node.selected",
      style: {
        "underlay-color": color("accent"),
        "underlay-opacity": 0.28,
        "underlay-padding": 5,
        "underlay-shape": "round-rectangle",
      },
    },
    {
      selector: "edge.selected",
      style: { "underlay-color": color("accent"), "underlay-opacity": 0.24, "underlay-padding": 5 },
    },
  ];
}
