import type { Graph, GraphEdge, GraphNode } from "#host/kinds/graph";
import { type LiveEdge, type LiveNode, triggeredKinds } from "../../ui/live.ts";
import { Meter, windowSeconds } from "./meter.ts";
import type { SeenBody } from "./span-ring.ts";

export interface LiveFigures {
  see(body: SeenBody): void;
  nodes(now: number): Omit<LiveNode, "state">[];
  edges(now: number): LiveEdge[];
}

/** By protocol too: that of one call, or of all, can be switched while everything runs. */
interface Seen extends GraphEdge {
  readonly meter: Meter;
}

/** What was seen and not declared is shown as long as its traces are. */
const strangerMs = 5 * 60_000;

/** Names come from outside: no more than these are counted. */
const mostStrangers = 200;

/** The figures of the declared graph, and of what is seen besides. */
export function createLiveFigures(declared: Graph): LiveFigures {
  const nodes = new Map<string, Meter>(declared.nodes.map(({ name }) => [name, new Meter()]));
  const edges = new Map<string, Seen>(
    declared.edges.map((edge) => [keyOf(edge), { ...edge, meter: new Meter() }]),
  );
  /** When each function was woken last. */
  const wakes = new Map<string, number>();
  const isDeclared = declares(declared);
  const mostNodes = nodes.size + mostStrangers;
  const mostEdges = edges.size + mostStrangers;

  const nodeMeter = (name: string) => {
    const meter = nodes.get(name);
    if (meter || nodes.size >= mostNodes) return meter;
    const added = new Meter();
    nodes.set(name, added);
    return added;
  };
  const seenEdge = (edge: GraphEdge) => {
    const seen = edges.get(keyOf(edge));
    if (seen || edges.size >= mostEdges) return seen;
    const added = { ...edge, meter: new Meter() };
    edges.set(keyOf(edge), added);
    return added;
  };
  const forgetStrangers = (now: number) => {
    for (const [key, seen] of edges) {
      if (!isDeclared(seen) && now - seen.meter.lastAt > strangerMs) edges.delete(key);
    }
    const linked = new Set([...edges.values()].flatMap(({ from, to }) => [from, to]));
    const known = new Set(declared.nodes.map(({ name }) => name));
    for (const [name, meter] of nodes) {
      const recent = linked.has(name) || now - meter.lastAt <= strangerMs;
      if (!known.has(name) && !recent) nodes.delete(name);
    }
  };

  return {
    see({ at, spans }) {
      for (const { kind, service, durationMs, failed, edge, woken } of spans) {
        if (woken && nodes.has(woken)) wakes.set(woken, at);
        const answers = kind === "server" || kind === "consumer";
        if (answers) nodeMeter(service)?.add(durationMs, failed, at);
        if (!edge) continue;
        const seen = seenEdge(edge);
        if (!seen) continue;
        seen.meter.add(durationMs, failed, at);
        for (const name of [edge.from, edge.to]) nodeMeter(name);
        // A database and a queue send no spans: their clients' count for them.
        const tellsOfTarget = edge.protocol === "mongodb" || kind === "producer";
        if (tellsOfTarget) nodeMeter(edge.to)?.add(durationMs, failed, at);
      }
    },
    nodes(now) {
      forgetStrangers(now);
      const kinds = new Map(declared.nodes.map(({ name, kind }) => [name, kind]));
      return [...nodes].map(([name, meter]) => {
        const kind = kinds.get(name) ?? kindOf(name);
        const isWoken = now - (wakes.get(name) ?? 0) < windowSeconds * 1_000;
        return {
          name,
          kind,
          figures: meter.figures(now),
          ...(isWoken && { woken: true as const }),
        };
      });
    },
    edges(now) {
      forgetStrangers(now);
      return [...edges.values()].map(({ meter, ...edge }) => {
        return { ...edge, declared: isDeclared(edge), figures: meter.figures(now) };
      });
    },
  };
}

/** Whether an edge is the graph's, protocol included. The gateway may trigger any function. */
function declares({ nodes, edges }: Graph): (edge: GraphEdge) => boolean {
  const declared = new Set(edges.map(keyOf));
  const names = (...kinds: GraphNode["kind"][]) =>
    new Set(nodes.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name));
  const gateways = names("gateway");
  const functions = names(...triggeredKinds);
  return (edge) => declared.has(keyOf(edge)) || (gateways.has(edge.from) && functions.has(edge.to));
}

function keyOf({ from, to, protocol }: GraphEdge): string {
  return `${from} -${protocol}-> ${to}`;
}

function kindOf(name: string): GraphNode["kind"] {
  if (name.startsWith("rabbitmq:")) return "queue";
  return name.startsWith("mongodb:") ? "collection" : "function";
}
