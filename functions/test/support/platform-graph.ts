import type { Graph } from "#host/kinds/graph";
import declared from "../../gateway/graph.json" with { type: "json" };
import { isPlatform } from "./orders.ts";

const { nodes, edges } = declared as unknown as Graph;
const isUsed = (name: string) => edges.some(({ from, to }) => to === name && isPlatform(from));
const kept = new Set(
  nodes.map(({ name }) => name).filter((name) => isPlatform(name) || isUsed(name)),
);
const isKept = (name: string) => kept.has(name) && (isPlatform(name) || name.includes(":"));

/** The platform's own graph as the gateway has it, without what a clone adds. */
export const platformGraph: Graph = {
  nodes: nodes.filter(({ name }) => isKept(name)),
  edges: edges.filter(({ from, to }) => isKept(from) && isKept(to)),
};
