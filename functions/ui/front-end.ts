import type { RouteAnswer } from "#host/base/answer";
import { HostError } from "#host/base/errors";
import type { Route, RouteRequest } from "#host/http/route";
import { define } from "#host/kinds/define";
import type { Definition } from "#host/kinds/definition";
import type { Graph } from "#host/kinds/graph";
import { eventStreamHeaders } from "./event-stream.ts";
import { createGraphFeed } from "./graph-feed.ts";
import { createGraphSource, type GraphSourceOptions } from "./graph-source.ts";
import type { PageSettings } from "./live.ts";
import { liveProxy } from "./live-proxy.ts";
import { loadPage } from "./page-files.ts";
import { gatewayOf, pageHeaders } from "./security.ts";

export interface FrontEndOptions {
  name: string;
  /** What it draws; graph.ts of the host tells its shape, which a JSON file's type does not. */
  graph: { nodes: readonly object[]; edges: readonly object[] };
}

/**
 * The function that serves the page and what the page asks for: where LIVE_URL is set, by asking there;
 * else the declared graph, with Prometheus' figures where PROMETHEUS_URL is set.
 */
export function frontEnd({ name, graph }: FrontEndOptions): Definition {
  return define({
    kind: "ui",
    name,
    calls: [],
    effects: [],
    routes: [],
    services: [],
    deploy: { public: true, scale: { min: 1, max: 2 }, timeoutSeconds: 300 },
    problems: [],
    async open({ config, log }) {
      const page = await loadPage();
      const { liveUrl, liveControl, jaegerUrl, kialiUrl } = config.ui;
      const settings = (request: RouteRequest): PageSettings => ({
        gateway: gatewayOf(request.headers, config.ui.gatewayOrigin),
        control: liveUrl !== undefined && liveControl,
        faults: config.faults,
        traceUrl: jaegerUrl ? `${jaegerUrl}/trace/{traceId}` : null,
        kialiUrl: kialiUrl ?? null,
      });
      const file = (path: string, { headers }: RouteRequest): RouteAnswer => {
        const answer = page(path, headers);
        if (!answer) throw new HostError("ERR_NOT_FOUND", `there is no page /${path}`);
        const gateway = gatewayOf(headers, config.ui.gatewayOrigin);
        return { ...answer, headers: { ...pageHeaders(gateway), ...answer.headers } };
      };
      const live = liveUrl
        ? liveProxy(liveUrl)
        : graphRoutes({
            graph: graph as Graph,
            url: config.ui.prometheusUrl,
            namespace: config.namespace,
            report: (line) => log.warn(line),
          });
      return {
        resources: [],
        routes: [
          { method: "GET", path: "/", handle: async (request) => file("index.html", request) },
          {
            method: "GET",
            path: "/{file}",
            handle: async (request) => file(request.parameters.file ?? "", request),
          },
          {
            method: "GET",
            path: "/api/page",
            handle: async (request) => ({ status: 200, body: settings(request) }),
          },
          ...live.routes,
        ],
        drain: async () => live.end(),
      };
    },
  });
}

function graphRoutes(options: GraphSourceOptions) {
  const take = createGraphSource(options);
  const feed = createGraphFeed(take);
  const routes: Route[] = [
    {
      method: "GET",
      path: "/api/graph/live",
      handle: async () => ({ status: 200, body: await take() }),
    },
    {
      method: "GET",
      path: "/api/graph/events",
      handle: async () => ({ status: 200, headers: eventStreamHeaders, body: feed.open() }),
    },
    // Traces are Jaeger's here, and the page links to it.
    {
      method: "GET",
      path: "/api/traces",
      handle: async () => ({ status: 200, body: { traces: [] } }),
    },
  ];
  return { routes, end: feed.end };
}
