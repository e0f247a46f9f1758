import type { Graph, GraphEdge } from "#host";
import type { Figures, LiveEdge, LiveGraph, LiveNode, Revision } from "./live.ts";
import { noFigures } from "./live.ts";
import {
  askIstio,
  type IstioFigures,
  type RequestCount,
  revisionNode,
  type Share,
  windowSeconds,
} from "./prometheus.ts";

export interface GraphSourceOptions {
  graph: Graph;
  /** Prometheus, which has Istio's metrics. Without it there are no figures. */
  url: string | undefined;
  namespace: string | undefined;
  /** Hears why Prometheus does not answer. */
  report(line: string): void;
}

/** Prometheus has news after each scrape only: it is not asked by every browser, and not four times a second. */
const askEveryMs = 2_000;

/** The declared graph with the figures that Prometheus has, or without any where it does not answer. */
export function createGraphSource(options: GraphSourceOptions): () => Promise<LiveGraph> {
  const { graph, url, namespace, report } = options;
  const names = {
    functions: graph.nodes.filter(isFunction).map(({ name }) => name),
    bridge: graph.nodes.find(({ kind }) => kind === "bridge")?.name,
    namespace,
  };
  let asked = {
    at: Number.NEGATIVE_INFINITY,
    figures: Promise.resolve<IstioFigures | undefined>(undefined),
  };
  let reported: string | undefined;
  const ask = async (base: string) => {
    try {
      const figures = await askIstio(base, names);
      reported = undefined;
      return figures;
    } catch (thrown) {
      const { message } = thrown as Error;
      if (message !== reported) report(message);
      reported = message;
      return undefined;
    }
  };
  const figures = (base: string) => {
    const now = performance.now();
    if (now - asked.at >= askEveryMs) asked = { at: now, figures: ask(base) };
    return asked.figures;
  };
  return async () => {
    const found = url ? await figures(url) : undefined;
    return {
      at: new Date().toISOString(),
      windowSeconds,
      source: found ? "prometheus" : "none",
      ...withFigures(withRevisions(graph, found ?? nothing), found ?? nothing),
    };
  };
}

const nothing: IstioFigures = {
  revisions: new Map(),
  requests: [],
  durations: [],
  wakes: [],
  bytes: [],
};

/** A node for each further revision, which the function's callers call too. What it calls is seen as the function's own. */
function withRevisions({ nodes, edges }: Graph, { revisions }: IstioFigures): Graph {
  const further = [...revisions].flatMap(([of, [, ...names]]) =>
    names.map((name) => ({ of, name: revisionNode(of, name) })),
  );
  return {
    nodes: [
      ...nodes,
      ...further.flatMap(({ of, name }) => {
        const own = nodes.find((node) => node.name === of);
        return own ? [{ name, kind: own.kind }] : [];
      }),
    ],
    edges: [
      ...edges,
      ...further.flatMap(({ of, name }) =>
        edges.filter(({ to }) => to === of).map((edge) => ({ ...edge, to: name })),
      ),
    ],
  };
}

/** Which revision a node is, and its part of the function's requests; undefined where there is only one. */
function revisionOf(node: string, { revisions, requests }: IstioFigures): Revision | undefined {
  for (const [of, names] of revisions) {
    const nodes = names.map((name, i) => (i === 0 ? of : revisionNode(of, name)));
    const name = names[nodes.indexOf(node)];
    if (name === undefined) continue;
    const count = (wanted: readonly string[]) =>
      requests.reduce((sum, one) => sum + (wanted.includes(one.to) ? one.count : 0), 0);
    return { of, name, share: count([node]) / count(nodes) };
  }
  return undefined;
}

function withFigures(graph: Graph, found: IstioFigures): { nodes: LiveNode[]; edges: LiveEdge[] } {
  const { durations, wakes, bytes } = found;
  const requests = found.requests.map((one) => withoutWakes(one, wakes));
  const figuresOf = (counted: readonly RequestCount[], from: string | undefined, to: string) => {
    const sum = (of: (one: RequestCount) => number) =>
      counted.reduce((total, one) => total + of(one), 0);
    const count = sum((one) => one.count);
    if (count === 0) return noFigures;
    const ms = (share: Share) =>
      durations.find((one) => one.from === from && one.to === to && one.share === share)?.ms ??
      null;
    return {
      requests: Math.round(count),
      requestsPerSecond: count / windowSeconds,
      errorShare: sum((one) => one.failed) / count,
      p50: ms("0.5"),
      p95: ms("0.95"),
      p99: ms("0.99"),
    } satisfies Figures;
  };

  const nodes = graph.nodes.map(({ name, kind }): LiveNode => {
    const counted = requests.filter(({ to }) => to === name);
    const figures = figuresOf(counted, undefined, name);
    const revision = revisionOf(name, found);
    return {
      ...{ name, kind, state: "unknown", figures },
      ...(kind === "queue" && { depth: null }),
      ...(revision && { revision }),
      ...(wakes.some(({ to }) => to === name) && { woken: true }),
    };
  });
  const declared = graph.edges.map((edge): LiveEdge => {
    const { from, to } = edge;
    const counted = requests.filter((one) => isOf(one, edge));
    const figures = figuresOf(counted, from, to);
    const opener = openerOf(edge);
    const flow = bytes.find((one) => one.from === opener);
    // Istio counts by the caller alone: bytes of several connections cannot be divided among them.
    const isAlone = graph.edges.filter((one) => openerOf(one) === opener).length === 1;
    return {
      ...edge,
      declared: true,
      figures,
      ...(flow && isAlone && { bytesPerSecond: flow.perSecond }),
    };
  });
  return { nodes, edges: [...declared, ...strangers(graph, requests, figuresOf)] };
}

/** Both are extrapolated from the same scrapes, so that they may differ by less than one. */
function withoutWakes(one: RequestCount, wakes: IstioFigures["wakes"]): RequestCount {
  const wake = wakes.find(({ from, to }) => from === one.from && to === one.to);
  if (!wake || one.protocol !== "http") return one;
  const count = one.count - wake.count;
  return count < 0.5 ? { ...one, count: 0, failed: 0 } : { ...one, count };
}

/** The function that opened a connection to a broker or a database; undefined for an edge between functions. */
function openerOf({ from, to }: GraphEdge): string | undefined {
  if (from.includes(":")) return to;
  return to.includes(":") ? from : undefined;
}

/** An event comes over HTTP, and Istio does not know that it is one. */
function isOf(one: RequestCount, { from, to, protocol }: GraphEdge): boolean {
  const wire = protocol === "cloudevents" ? "http" : protocol;
  return one.from === from && one.to === to && one.protocol === wire;
}

/** Edges between functions that were seen and not declared, protocol included; the gateway may trigger any. */
function strangers(
  { nodes, edges }: Graph,
  requests: readonly RequestCount[],
  figuresOf: (counted: readonly RequestCount[], from: string, to: string) => Figures,
): LiveEdge[] {
  const kinds = new Map(nodes.map(({ name, kind }) => [name, kind]));
  const isDeclared = (one: RequestCount) => edges.some((edge) => isOf(one, edge));
  const seen = requests.filter((one) => kinds.has(one.from) && one.count > 0 && !isDeclared(one));
  const byEdge = Map.groupBy(seen, ({ from, to, protocol }) => `${from} -${protocol}-> ${to}`);
  return [...byEdge.values()].flatMap((counted) => {
    const [first] = counted;
    if (!first) return [];
    const { from, to, protocol } = first;
    const declared = kinds.get(from) === "gateway";
    return [{ from, to, protocol, declared, figures: figuresOf(counted, from, to) }];
  });
}

function isFunction({ kind }: { kind: string }): boolean {
  return kind !== "queue" && kind !== "collection";
}
