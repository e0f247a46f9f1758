import type { Callee } from "#host/call/callee";
import type { Definition, Deploy, RouteDeclaration } from "#host/kinds/definition";
import { greetingsToJson } from "#host/kinds/greetings";
import { type HouseRoute, handlerOf } from "#host/kinds/handler";
import { openApi } from "./openapi.ts";
import { isGreeting, type Triggered, trigger, triggeredOf } from "./triggers.ts";

export interface GatewayOptions {
  name: string;
  /** Where the graph begins. */
  to: Callee;
  /** What there is to trigger, and what /api/graph shows: `Graph`, as JSON. */
  graph: {
    nodes: readonly { name: string; kind: string; routes?: readonly object[] }[];
    edges: readonly object[];
  };
  deploy?: Deploy;
}

/** The way in from outside: asks the whole graph, or triggers any one function of it by its declared routes. */
export function gateway({ name, to, graph, deploy = {} }: GatewayOptions): Definition {
  const functions = triggeredOf(graph.nodes);
  const all = graph.nodes.filter(canFail).map((node) => node.name);
  const get = (path: string, handle: HouseRoute["handle"]): HouseRoute => ({
    method: "GET",
    path,
    handle,
  });
  const whole: HouseRoute["handle"] = async ({ call }, { runtime }) => ({
    body: greetingsToJson(await runtime.greetingsOf(to, call)),
  });
  const passOn = (method: RouteDeclaration["method"]): HouseRoute => ({
    method,
    path: "/api/services/{name}/{path...}",
    handle: (request, inside) => trigger({ functions, all }, method, request, inside),
  });
  return handlerOf(
    {
      kind: "gateway",
      name,
      calls: [to],
      // It waits for the whole graph, which is most of the time: see knative/SIZING.md.
      deploy: { public: true, subdomain: "api", scale: { min: 1, target: 50 }, ...deploy },
    },
    {
      faultTargets: [name, ...all],
      routes: [
        get("/", async () => ({ body: index(functions) })),
        get("/api/greeting", whole),
        get("/api/v1/greeting", whole),
        get("/api/graph", async () => ({ body: graph })),
        get("/openapi.json", async () => ({ body: openApi(functions) })),
        passOn("GET"),
        passOn("POST"),
        passOn("PUT"),
        passOn("PATCH"),
        passOn("DELETE"),
      ],
      greetings: (call, { runtime }) => runtime.greetingsOf(to, call),
    },
  );
}

/** A bridge serves no request that could fail. A function without HTTP routes of its own may serve gRPC. */
function canFail({ kind }: { readonly kind: string }): boolean {
  return !["gateway", "bridge", "ui", "queue", "collection"].includes(kind);
}

function index(functions: readonly Triggered[]): object {
  const greets = functions.filter(({ routes }) => routes.some(isGreeting));
  const stores = functions.find(({ routes }) =>
    routes.some(({ path }) => path === "/api/messages"),
  );
  return {
    greeting: "/api/greeting",
    functions: Object.fromEntries(
      greets.map(({ name }) => [name, `/api/services/${name}/greeting`]),
    ),
    ...(stores && { messages: `/api/services/${stores.name}/messages` }),
    graph: "/api/graph",
    description: "/openapi.json",
    health: ["/healthz", "/readyz"],
  };
}
