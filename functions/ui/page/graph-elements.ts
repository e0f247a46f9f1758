import type { LiveEdge, LiveGraph, LiveNode } from "../live.ts";
import {
  bytes,
  type EdgeFigure,
  edgeFigures,
  nodeName,
  protocolNames,
  rate,
  share,
} from "./format.ts";

export interface DrawnElement {
  readonly id: string;
  readonly group: "nodes" | "edges";
  readonly data: Readonly<Record<string, string | number>>;
  readonly classes: string;
}

/** Two nodes may be joined by two protocols: the declared one, and the one that a request asked for. */
export function edgeId({ from, to, protocol }: Pick<LiveEdge, "from" | "to" | "protocol">): string {
  return `${from}>${to} ${protocol}`;
}

export function captionId(name: string): string {
  return `caption ${name}`;
}

/** What cytoscape draws for the graph: nodes, a line of figures in each, and edges. */
export function drawnElements(
  { nodes, edges }: LiveGraph,
  { shown, narrow }: { shown: EdgeFigure; narrow: boolean },
): DrawnElement[] {
  const known = new Set(nodes.map(({ name }) => name));
  return [
    ...nodes.flatMap((node) => drawnNode(node, narrow)),
    ...edges
      .filter(({ from, to }) => known.has(from) && known.has(to))
      .map((edge) => drawnEdge(edge, shown)),
  ];
}

/** In a word or two, what a person should know of a node before its figures. */
export function captionOf(node: LiveNode): string {
  const { state, figures, kind, depth, deadLetters, revision, woken } = node;
  if (state === "stopped" || state === "starting" || state === "not ready") return state;
  if (figures.errorShare > 0) return `${share(figures.errorShare)} errors`;
  if (deadLetters) return `${deadLetters} dead`;
  if (kind === "queue" && depth !== null && depth !== undefined) return `${depth} waiting`;
  const part = revision?.share == null ? "" : `${share(revision.share)}, `;
  return `${part}${rate(figures.requestsPerSecond)}${woken ? ", woken" : ""}`;
}

function drawnNode(node: LiveNode, narrow: boolean): DrawnElement[] {
  const { name, kind, state, figures, deadLetters } = node;
  const stopped = state === "stopped";
  const classes = [
    kind,
    stopped && "stopped",
    (state === "starting" || state === "not ready") && "waiting",
    figures.errorShare > 0 && "error",
  ];
  const alarm = stopped || state === "not ready" || figures.errorShare > 0 || !!deadLetters;
  return [
    {
      id: name,
      group: "nodes",
      data: { label: narrow ? inTwoLines(nodeName(node)) : nodeName(node) },
      classes: classes.filter(Boolean).join(" "),
    },
    {
      id: captionId(name),
      group: "nodes",
      data: { label: captionOf(node) },
      classes: [...classes, "caption", alarm && "alarm"].filter(Boolean).join(" "),
    },
  ];
}

/** Where requests are not counted, bytes show that something flows. */
function shownFigure({ figures, bytesPerSecond }: LiveEdge, shown: EdgeFigure): string {
  if (figures.requests === 0 && bytesPerSecond) return bytes(bytesPerSecond);
  return edgeFigures[shown](figures);
}

function inTwoLines(name: string): string {
  return name.replace(" ", "\n").replace(".", "\n.");
}

function drawnEdge(edge: LiveEdge, shown: EdgeFigure): DrawnElement {
  const { figures, protocol, declared, bytesPerSecond = 0 } = edge;
  const failing = figures.errorShare > 0;
  const idle = figures.requests === 0 && bytesPerSecond === 0;
  const title = declared ? protocolNames[protocol] : `${protocolNames[protocol]} *`;
  const figure = failing ? edgeFigures.errors(figures) : idle ? "" : shownFigure(edge, shown);
  const width = 1.5 + Math.min(2, Math.log10(1 + figures.requestsPerSecond));
  return {
    id: edgeId(edge),
    group: "edges",
    data: {
      source: edge.from,
      target: edge.to,
      label: figure === "" ? title : `${title}\n${figure}`,
      width: Math.round(width * 10) / 10,
    },
    classes: [protocol, failing && "error", idle && "idle"].filter(Boolean).join(" "),
  };
}
