/** HTTP triggers: /api/services/{name}/… of the gateway is the function's declared routes, and nothing else. */
import type { RouteAnswer } from "#host/base/answer";
import { HostError } from "#host/base/errors";
import { propagatedHeaders } from "#host/base/headers";
import { http } from "#host/call/callee";
import type { HttpAnswer } from "#host/call/runtime";
import { problemOf } from "#host/http/client";
import { findRoute, matchPath, type RouteRequest } from "#host/http/route";
import type { RouteDeclaration } from "#host/kinds/definition";
import { greetingsToJson } from "#host/kinds/greetings";
import type { Inside } from "#host/kinds/handler";

/** A function that can be triggered, with what it answers. */
export interface Triggered {
  readonly name: string;
  readonly kind: string;
  readonly routes: readonly RouteDeclaration[];
  readonly ways: readonly Way[];
}

/** The nodes of a graph that have routes. */
export function triggeredOf(
  nodes: readonly { name: string; kind: string; routes?: readonly object[] }[],
): Triggered[] {
  return nodes.flatMap(({ name, kind, routes: given }) => {
    const routes = given as readonly RouteDeclaration[] | undefined;
    return routes ? [{ name, kind, routes, ways: waysOf(routes) }] : [];
  });
}

export interface Triggers {
  readonly functions: readonly Triggered[];
  /** Functions of the graph by name, those without declared routes among them. */
  readonly all: readonly string[];
}

/** Passes a request on to the declared route that its path names, and answers what that answers. */
export async function trigger(
  { functions, all }: Triggers,
  method: RouteDeclaration["method"],
  { parameters, query, headers, body, event, call, onRoute }: RouteRequest,
  { runtime }: Inside,
): Promise<RouteAnswer> {
  const { name = "", path = "" } = parameters;
  const target = functions.find((one) => one.name === name);
  if (!target && all.includes(name)) {
    const detail = `${name} declares no routes, so there is nothing to pass on to`;
    throw new HostError("ERR_NOT_FOUND", detail);
  }
  if (!target) {
    const known = functions.map((one) => one.name).join(", ");
    throw new HostError("ERR_NOT_FOUND", `there is no function ${name}; there are ${known}`);
  }
  const way = findWay(functions, target, method, `/${path}`);
  const { route } = way;
  onRoute(`/api/services/{name}${offeredPath(route)}`);
  if (isGreeting(route)) {
    // By the protocol that the request asks for.
    return { body: greetingsToJson(await runtime.greetingsOf(http(name), call)) };
  }
  // One that is broken is refused here: what is passed on does not show which headers came twice.
  if (isEvents(route)) await event?.read();
  const answer = await runtime.send(
    name,
    {
      method,
      path: `${way.prefix}/${way.alias ? "" : path}${query.size > 0 ? `?${query}` : ""}`,
      template: route.path,
      headers: endToEnd(headers),
      ...(body.bytes.length > 0 && { body: body.bytes }),
    },
    call,
  );
  if (answer.status >= 500) call.operation?.fail(problemOf(name, answer));
  return answerOf(answer);
}

/** A route behind /api/services/{name}, and how its own path comes of the one that is asked for there. */
interface Way {
  readonly method: RouteDeclaration["method"];
  readonly path: string;
  readonly route: RouteDeclaration;
  readonly prefix: string;
  /** The path stands for the route's, and is no part of it. */
  readonly alias?: boolean;
}

/** Each route by its own path, without its leading /api, and the place for events as `events`. */
function waysOf(routes: readonly RouteDeclaration[]): Way[] {
  return routes.flatMap((route): Way[] => {
    const { method, path } = route;
    const offered = offeredPath(route);
    const literal = { method, path, route, prefix: "" };
    if (offered === path) return [literal];
    const alias = path === "/";
    return [literal, { method, path: offered, route, prefix: alias ? "" : "/api", alias }];
  });
}

/** How the gateway offers a route of a function, behind /api/services/{name}. */
export function offeredPath(route: RouteDeclaration): string {
  return isEvents(route) ? "/events" : route.path.replace(/^\/api(?=\/)/, "");
}

function isEvents({ method, path }: RouteDeclaration): boolean {
  return method === "POST" && path === "/";
}

/** Throws ERR_NOT_FOUND, naming the functions that have it, and ERR_METHOD. */
function findWay(
  functions: readonly Triggered[],
  target: Triggered,
  method: string,
  path: string,
): Way {
  const has = ({ ways }: Triggered) => ways.some((way) => matchPath(way.path, path));
  if (has(target)) return findRoute(target.ways, method, path).route;
  const others = functions.filter(has).map(({ name }) => name);
  const hint =
    others.length > 0 ? `; of the functions that have it there are ${others.join(", ")}` : "";
  throw new HostError("ERR_NOT_FOUND", `${target.name} has no ${path}${hint}`);
}

export function isGreeting({ method, path }: RouteDeclaration): boolean {
  return method === "GET" && path === "/api/greeting";
}

/** RFC 9110, 7.6.1, with what each hop says for itself and the headers that the call carries. */
const hopByHop = new Set<string>([
  ...["connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization"],
  ...["te", "trailer", "transfer-encoding", "upgrade", "host", "content-length", "expect"],
  ...["grpc-timeout", "date", "traceresponse", "cookie", "set-cookie"],
  ...propagatedHeaders,
]);

function endToEnd(headers: HttpAnswer["headers"]): Record<string, string> {
  const named = String(headers.connection ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
  const kept = Object.entries(headers).flatMap(([name, value]) => {
    if (value === undefined || hopByHop.has(name) || named.includes(name)) return [];
    return [[name, Array.isArray(value) ? value.join(", ") : value]];
  });
  return Object.fromEntries(kept);
}

function answerOf({ status, headers, body }: HttpAnswer): RouteAnswer {
  return { status, headers: endToEnd(headers), ...(body.length > 0 && { body }) };
}
