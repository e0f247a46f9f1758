/**
 * What the page and its questions are answered with: the page's files, its settings, and the live graph. Where LIVE_URL
 * is set, by asking there; else the declared graph, with Prometheus' figures where PROMETHEUS_URL is set.
 */
import type { IncomingHttpHeaders } from "node:http";
import { type Graph, HostError, type RouteAnswer, type Runtime } from "#host";
import { eventStreamHeaders } from "./event-stream.ts";
import { createGraphFeed } from "./graph-feed.ts";
import { createGraphSource, type GraphSourceOptions } from "./graph-source.ts";
import type { PageSettings } from "./live.ts";
import type { LiveAnswers, LiveRequest } from "./live-answers.ts";
import { type LivePath, liveNames, livePaths } from "./live-contract.ts";
import { liveProxy } from "./live-proxy.ts";
import { loadPage } from "./page-files.ts";
import { gatewayOf, pageHeaders, refuseForeignPages } from "./security.ts";

export interface FrontEnd {
  file(path: string, headers: IncomingHttpHeaders): RouteAnswer;
  settings(headers: IncomingHttpHeaders): PageSettings;
  readonly live: LiveAnswers;
}

/** `graph` is the declared one, whose JSON has wider types than it. */
export async function openFrontEnd(
  { config, log, draining }: Runtime,
  graph: { nodes: readonly object[]; edges: readonly object[] },
): Promise<FrontEnd> {
  const page = await loadPage();
  const { liveUrl, liveControl, jaegerUrl, kialiUrl, gatewayOrigin } = config.ui;
  const live = liveUrl
    ? liveProxy(liveUrl, draining)
    : graphAnswers(
        {
          graph: graph as Graph,
          url: config.ui.prometheusUrl,
          namespace: config.namespace,
          report: (line) => log.warn(line),
        },
        draining,
      );
  return {
    file(path, headers) {
      const answer = page(path, headers);
      if (!answer) throw new HostError("ERR_NOT_FOUND", `there is no page /${path}`);
      const gateway = gatewayOf(headers, gatewayOrigin);
      return { ...answer, headers: { ...pageHeaders(gateway), ...answer.headers } };
    },
    settings: (headers) => ({
      gateway: gatewayOf(headers, gatewayOrigin),
      control: liveUrl !== undefined && liveControl,
      deadLetters: live.deadLetters !== undefined,
      faults: config.faults,
      traceUrl: jaegerUrl ? `${jaegerUrl}/trace/{traceId}` : null,
      kialiUrl: kialiUrl ?? null,
    }),
    live,
  };
}

type FrontEndRequest = LiveRequest & { readonly state: FrontEnd };

/** A route for each path of the live contract. */
export function liveRoutes() {
  const routes = liveNames.map((name) => {
    const { method, path, guarded }: LivePath = livePaths[name];
    const handle = async (request: FrontEndRequest) => {
      const { state, headers } = request;
      const answer = state.live[name];
      if (!answer) {
        throw new HostError("ERR_NOT_FOUND", `${path} is answered by the local run only`);
      }
      if (guarded) refuseForeignPages(headers, method === "POST");
      return answer(request);
    };
    return [`${method} ${path}`, { handle }];
  });
  return Object.fromEntries(routes);
}

function graphAnswers(options: GraphSourceOptions, draining: AbortSignal): LiveAnswers {
  const take = createGraphSource(options);
  const feed = createGraphFeed(take);
  draining.addEventListener("abort", feed.end, { once: true });
  return {
    graph: async () => ({ body: await take() }),
    events: async () => ({ headers: eventStreamHeaders, body: feed.open() }),
    // Traces are Jaeger's here, and the page links to it.
    traces: async () => ({ body: { traces: [] } }),
  };
}
