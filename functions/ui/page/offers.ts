import type { Graph, GraphNode, RouteDeclaration } from "#host";
import type { GatewayRequest } from "./ask.ts";
import { sampleOf } from "./sample-body.ts";

/** A request that the gateway takes, as the person can edit it before it is sent. */
export interface Offer extends GatewayRequest {
  readonly label: string;
}

/** Routes of one function. */
export interface OfferGroup {
  readonly name: string;
  readonly offers: readonly Offer[];
}

export const wholeGraph: Offer = {
  label: "the whole graph",
  method: "GET",
  path: "/api/greeting",
};

/** What the gateway passes on to each function, from its own description of the graph. */
export function offersOf({ nodes }: Pick<Graph, "nodes">): OfferGroup[] {
  return nodes.flatMap(({ name, routes = [] }: GraphNode) => {
    const greets = routes.some(({ path }) => path === "/api/greeting");
    // GET / of a function that greets is its greeting too.
    const shown = routes.filter(
      ({ method, path }) => !(greets && method === "GET" && path === "/"),
    );
    const offers = shown.map((route) => offerOf(name, route));
    return offers.length > 0 ? [{ name, offers }] : [];
  });
}

function offerOf(name: string, { method, path, body }: RouteDeclaration): Offer {
  const target = { method, path: `/api/services/${name}${path}` };
  if (method === "POST" && path === "/") {
    return { ...target, label: `${name}: an event`, contentType: eventType, body: pretty(event()) };
  }
  const label = `${name}: ${method} ${path}`;
  if (method === "GET" || method === "DELETE") return { ...target, label };
  const text = body ? pretty(sampleOf(body)) : "";
  return { ...target, label, contentType: "application/json", body: text };
}

/** CloudEvents, JSON Event Format 1.0.2: a structured event. */
const eventType = "application/cloudevents+json";

function event(): object {
  return { specversion: "1.0", id: crypto.randomUUID(), source: "/page", type: "test", data: {} };
}

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
