import { type Greeting, GreetingResponse } from "#proto";
import { HostError } from "../base/errors.ts";
import type { Call } from "../call/call.ts";
import { problemOf } from "../http/client.ts";
import { registerFunction } from "../http/exchange.ts";
import {
  type Callee,
  type Definition,
  http,
  type RouteAnswer,
  type RouteRequest,
} from "./definition.ts";
import { openApi } from "./openapi.ts";

export interface GatewayOptions {
  name: string;
  /** Where the graph begins. */
  to: Callee;
  /** What there is to trigger, and what /api/graph shows: graph.ts tells its shape. */
  graph: { nodes: readonly { name: string; kind: string }[]; edges: readonly object[] };
}

/** The way in from outside: asks the whole graph, or triggers any one function of it. */
export function gateway({ name, to, graph }: GatewayOptions): Definition {
  registerFunction(name);
  const names = (...kinds: string[]) =>
    graph.nodes.filter((node) => kinds.includes(node.kind)).map((node) => node.name);
  const functions = names("greeter", "subscriber");
  const subscribers = names("subscriber");
  const pick = ({ parameters }: RouteRequest, known: readonly string[], what: string): string => {
    const asked = parameters.name ?? "";
    if (known.includes(asked)) return asked;
    throw new HostError(
      "ERR_NOT_FOUND",
      `there is no ${what} ${asked}; there are ${known.join(", ")}`,
    );
  };

  return {
    kind: "gateway",
    name,
    calls: [to],
    effects: [],
    // A bridge serves no request, and so none that could fail.
    faultTargets: names("gateway", "greeter", "subscriber"),
    async open(runtime) {
      const greetings = (call: Call) => runtime.greetingsOf(to, call);
      const whole = async ({ call }: RouteRequest) => greetingsAnswer(await greetings(call));
      const relay = async (
        callee: string,
        message: Parameters<typeof runtime.send>[1],
        call: Call,
      ): Promise<RouteAnswer> => {
        const answer = await runtime.send(callee, message, call);
        if (answer.status >= 300) throw problemOf(callee, answer);
        return { status: answer.status, ...(answer.body.length > 0 && { body: answer.body }) };
      };
      return {
        greetings,
        resources: [],
        routes: [
          {
            method: "GET",
            path: "/",
            handle: async () => ({ status: 200, body: index(functions) }),
          },
          { method: "GET", path: "/api/greeting", handle: whole },
          { method: "GET", path: "/api/v1/greeting", handle: whole },
          {
            method: "GET",
            path: "/api/services/{name}/greeting",
            async handle(request) {
              const callee = http(pick(request, functions, "function"));
              return greetingsAnswer(await runtime.greetingsOf(callee, request.call));
            },
          },
          {
            method: "POST",
            path: "/api/services/{name}/events",
            handle(request) {
              const { body, call } = request;
              const headers = eventHeaders(request);
              const callee = pick(request, subscribers, "subscriber");
              return relay(callee, { method: "POST", path: "/", headers, body }, call);
            },
          },
          {
            method: "GET",
            path: "/api/services/{name}/messages",
            handle(request) {
              const callee = pick(request, subscribers, "subscriber");
              const path = `/api/messages?${request.query}`;
              return relay(callee, { method: "GET", path }, request.call);
            },
          },
          { method: "GET", path: "/api/graph", handle: async () => ({ status: 200, body: graph }) },
          {
            method: "GET",
            path: "/openapi.json",
            handle: async () => ({ status: 200, body: openApi(functions, subscribers) }),
          },
        ],
      };
    },
  };
}

function greetingsAnswer(greeting: Greeting[]): RouteAnswer {
  return { status: 200, body: GreetingResponse.toJSON({ greeting }) as object };
}

/** The headers that make an HTTP request an event, in either mode. */
function eventHeaders({ headers }: RouteRequest): Record<string, string> {
  const entries = Object.entries(headers).filter(
    ([name, value]) => typeof value === "string" && (name === "content-type" || /^ce-/.test(name)),
  );
  return Object.fromEntries(entries) as Record<string, string>;
}

function index(functions: readonly string[]): object {
  return {
    greeting: "/api/greeting",
    functions: Object.fromEntries(
      functions.map((name) => [name, `/api/services/${name}/greeting`]),
    ),
    messages: "/api/services/service-f/messages",
    graph: "/api/graph",
    description: "/openapi.json",
    health: ["/healthz", "/readyz"],
  };
}
