/**
 * A server of the page and of figures that a test chooses, for what the real graph does not do on demand: a lost
 * connection, hostile names, a load of one's own. It answers as the ui function and the gateway do, on one port each.
 */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import graph from "../../gateway/graph.json" with { type: "json" };
import { buildPage } from "../../ui/build-page.ts";
import {
  type DeadLetterList,
  type Figures,
  type LiveEdge,
  type LiveGraph,
  type LiveNode,
  noFigures,
  type PageSettings,
  type Trace,
} from "../../ui/live.ts";
import { livePaths } from "../../ui/live-contract.ts";
import { isOfDesign } from "./design.ts";

/** Of what the real one sets, the part that the page has to live with. */
export function pagePolicy(gateway: string): string {
  return `default-src 'self'; connect-src 'self' ${gateway}; object-src 'none'; base-uri 'none'; frame-ancestors 'none'`;
}

export interface PageServer extends AsyncDisposable {
  readonly url: string;
  /** Shown to every page that is open, and to those that open later. */
  show(graph: LiveGraph): void;
  traces: Trace[];
  readonly deadLetters: {
    lists: DeadLetterList[];
    /** Of the next retries. */
    answer: { status: number; body: object };
    /** "list" or a retry's query, the newest last. */
    readonly asked: string[];
  };
  /** Headers of the requests that reached the gateway, the newest last. */
  readonly asked: Readonly<Record<string, string | string[] | undefined>>[];
  /** The same requests: "POST /api/greeting", and the body. */
  readonly sent: { readonly route: string; readonly body: string }[];
  /** What the gateway says of its functions and their routes. */
  graph: { nodes: object[]; edges: object[] };
  /** Of the next answers of the gateway. */
  answer: { status: number; body: object };
  /** Breaks the connections of all pages, and refuses new ones until it is called with false. */
  breakOff(broken: boolean): void;
}

/** The design's graph as the gateway has it, with figures of choice. */
export function liveGraph(
  node: (name: string) => Partial<LiveNode> = () => ({}),
  edge: (from: string, to: string) => Partial<Figures> = () => ({}),
): LiveGraph {
  return {
    at: new Date().toISOString(),
    windowSeconds: 10,
    source: "spans",
    nodes: (graph.nodes as unknown as LiveNode[]).filter(isDrawn).map((one) => ({
      ...one,
      state: "ready",
      figures: noFigures,
      ...node(one.name),
    })),
    edges: (graph.edges as LiveEdge[]).filter(isOfDesign).map((one) => ({
      ...one,
      declared: true,
      figures: { ...noFigures, ...edge(one.from, one.to) },
    })),
  };
}

function isDrawn({ name }: LiveNode): boolean {
  const ends = graph.edges.filter((edge) => isOfDesign(edge)).flatMap(({ from, to }) => [from, to]);
  return name === "ui" || ends.includes(name);
}

export async function startPageServer(
  settings: Partial<PageSettings> = {},
  port = 0,
): Promise<PageServer> {
  const files = await buildPage();
  const streams = new Set<ServerResponse>();
  let current = liveGraph();
  let broken = false;
  const asked: PageServer["asked"] = [];
  const sent: PageServer["sent"] = [];

  const gateway = createServer(async (request, response) => {
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-allow-headers", "*");
    response.setHeader("access-control-allow-methods", "*");
    response.setHeader("access-control-expose-headers", "traceresponse, x-request-id");
    if (request.method === "OPTIONS") {
      response.writeHead(204).end();
      return;
    }
    if (request.url === "/api/graph") {
      json(response, server.graph);
      return;
    }
    const body = Buffer.concat(await request.toArray()).toString();
    asked.push(request.headers);
    sent.push({ route: `${request.method} ${request.url}`, body });
    response.setHeader("traceresponse", `00-${"a".repeat(32)}-${"b".repeat(16)}-01`);
    json(response, server.answer.body, server.answer.status);
  });
  const page = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://page");
    const { deadLetters } = server;
    response.setHeader("content-security-policy", pagePolicy(gatewayUrl));
    const file = files.get(pathname === "/" ? "index.html" : pathname.slice(1));
    const [, traceId = ""] = /^\/api\/traces\/(.+)$/.exec(pathname) ?? [];
    if (file) response.setHeader("content-type", file.contentType).end(file.bytes);
    else if (broken) response.writeHead(503).end();
    else if (pathname === "/api/page") json(response, { ...defaults, ...settings });
    else if (pathname === "/api/traces") json(response, { traces: server.traces });
    else if (pathname === livePaths.deadLetters.path) {
      deadLetters.asked.push("list");
      json(response, { queues: deadLetters.lists });
    } else if (pathname === livePaths.retryDeadLetters.path) {
      deadLetters.asked.push(String(searchParams));
      json(response, deadLetters.answer.body, deadLetters.answer.status);
    } else if (pathname === "/api/graph/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      streams.add(response);
      response.on("close", () => streams.delete(response));
      send(response, current);
    } else {
      const found = server.traces.find((trace) => trace.traceId === traceId);
      if (found) json(response, found);
      else json(response, { detail: "there is no such thing" }, 404);
    }
  });
  await Promise.all([listen(gateway, 0), listen(page, port)]);
  const gatewayUrl = `http://127.0.0.1:${portOf(gateway)}`;
  const defaults: PageSettings = {
    gateway: gatewayUrl,
    control: false,
    deadLetters: true,
    faults: true,
    traceUrl: null,
    kialiUrl: null,
  };
  const server: PageServer = {
    url: `http://127.0.0.1:${portOf(page)}/`,
    traces: [],
    deadLetters: { lists: [], answer: { status: 200, body: { retried: [] } }, asked: [] },
    asked,
    sent,
    graph,
    answer: { status: 200, body: { greeting: [] } },
    show(next) {
      current = next;
      for (const stream of streams) send(stream, next);
    },
    breakOff(next) {
      broken = next;
      if (broken) for (const stream of streams) stream.destroy();
    },
    async [Symbol.asyncDispose]() {
      clearInterval(beat);
      await Promise.all([close(gateway), close(page)]);
    },
  };
  const beat = setInterval(() => server.show(current), 500);
  return server;
}

function send(stream: ServerResponse, graph: LiveGraph): void {
  stream.write(`event: graph\ndata: ${JSON.stringify(graph)}\n\n`);
}

function json(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
