/** HTTP triggers: /api/services/{name}/… of the gateway is the function's declared routes, and nothing else. */
import type { RouteAnswer } from "../base/answer.ts";
import { HostError } from "../base/errors.ts";
import { propagatedHeaders } from "../base/headers.ts";
import { http } from "../call/callee.ts";
import type { HttpAnswer } from "../call/runtime.ts";
import { problemOf } from "../http/client.ts";
import { findRoute, matchPath, type RouteRequest } from "../http/route.ts";
import type { RouteDeclaration } from "./definition.ts";
import { greetingsToJson } from "./greetings.ts";
import type { Inside } from "./handler.ts";

/** A function that can be triggered, with what it answers. */
export interface Triggered {
  readonly name: string;
  readonly kind: string;
  readonly routes: readonly RouteDeclaration[];
}

/** Passes a request on to the declared route that its path names, and answers what that answers. */
export async function trigger(
  functions: readonly Triggered[],
  method: RouteDeclaration["method"],
  { parameters, query, headers, body, call }: RouteRequest,
  { runtime }: Inside,
): Promise<RouteAnswer> {
  const { name = "", path = "" } = parameters;
  const target = functions.find((one) => one.name === name);
  if (!target) {
    const known = functions.map((one) => one.name).join(", ");
    throw new HostError("ERR_NOT_FOUND", `there is no function ${name}; there are ${known}`);
  }
  const own = pathAt(target, path);
  if (own === undefined) throw notThere(functions, target, path);
  const { route } = findRoute(target.routes, method, own);
  if (isGreeting(route)) {
    // By the protocol that the request asks for.
    return { body: greetingsToJson(await runtime.greetingsOf(http(name), call)) };
  }
  const answer = await runtime.send(
    name,
    {
      method,
      path: query.size > 0 ? `${own}?${query}` : own,
      template: route.path,
      headers: endToEnd(headers),
      ...(body.bytes.length > 0 && { body: body.bytes }),
    },
    call,
  );
  if (answer.status >= 500) call.operation?.fail(problemOf(name, answer));
  return answerOf(answer);
}

/** The route's own path for what is behind /api/services/{name}/: with or without its leading /api, or `events`. */
function pathAt({ routes }: Triggered, rest: string): string | undefined {
  const candidates = [`/${rest}`, `/api/${rest}`, ...(rest === "events" ? ["/"] : [])];
  return candidates.find((path) => routes.some((route) => matchPath(route.path, path)));
}

/** How the gateway offers a route of a function, behind /api/services/{name}. */
export function offeredPath({ method, path }: RouteDeclaration): string {
  if (method === "POST" && path === "/") return "/events";
  return path.replace(/^\/api(?=\/)/, "");
}

function notThere(functions: readonly Triggered[], { name }: Triggered, rest: string): HostError {
  const others = functions.filter((one) => pathAt(one, rest) !== undefined);
  const hint =
    others.length > 0 ? `; where it is, there are ${others.map((one) => one.name).join(", ")}` : "";
  return new HostError("ERR_NOT_FOUND", `${name} has no /${rest}${hint}`);
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
