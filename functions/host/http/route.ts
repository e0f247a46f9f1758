import type { IncomingHttpHeaders } from "node:http";
import type { RouteAnswer } from "../base/answer.ts";
import { HostError } from "../base/errors.ts";
import type { Call } from "../call/call.ts";
import type { HttpMethod } from "../call/runtime.ts";
import type { Body, ReceivedEvent } from "../events/event.ts";

export interface Route {
  readonly method: HttpMethod;
  /**
   * A path whose segments may be names in braces: "/api/services/{name}/greeting". A last segment
   * "{name...}" takes the rest of the path, undecoded.
   */
  readonly path: string;
  handle(request: RouteRequest): Promise<RouteAnswer | undefined>;
}

export interface RouteRequest {
  readonly call: Call;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Body;
  /** The CloudEvent that the request brings, read once; undefined for other requests. */
  readonly event: ReceivedEvent | undefined;
  /** Names the request by a route that says more than this one. */
  onRoute(path: string): void;
}

export interface FoundRoute<R> {
  readonly route: R;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/**
 * The route that a request takes; of several that match, the first. Throws ERR_NOT_FOUND, or
 * ERR_METHOD with the methods that are possible there.
 */
export function findRoute<R extends Pick<Route, "method" | "path">>(
  routes: readonly R[],
  method: string,
  url: string,
): FoundRoute<R> {
  // Not the URL class, which reads "//name" as a host, and throws where there is none.
  const [pathname = "/", query] = url.split(/\?(.*)/s, 2);
  // RFC 9110, 9.3.2: HEAD is GET without the content, which node:http leaves out by itself.
  const wanted = method === "HEAD" ? "GET" : method;
  const allowed: string[] = [];
  for (const route of routes) {
    const parameters = matchPath(route.path, pathname);
    if (!parameters) continue;
    if (route.method === wanted) return { route, parameters, query: new URLSearchParams(query) };
    allowed.push(...(route.method === "GET" ? ["GET", "HEAD"] : [route.method]));
  }
  if (allowed.length === 0) throw new HostError("ERR_NOT_FOUND", `nothing is at ${pathname}`);
  throw new HostError("ERR_METHOD", `${method} is not possible at ${pathname}`, {
    headers: { allow: [...new Set(allowed)].join(", ") },
  });
}

/** The named segments of a path, or undefined where it does not match the template. */
export function matchPath(template: string, path: string): Record<string, string> | undefined {
  if (!template.includes("{")) return template === path ? {} : undefined;
  const wanted = template.split("/");
  const given = path.split("/");
  const rest = /^\{(\w+)\.\.\.\}$/.exec(wanted.at(-1) ?? "")?.[1];
  if (rest ? given.length < wanted.length : wanted.length !== given.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [i, segment] of wanted.entries()) {
    const value = given[i] ?? "";
    const name = /^\{(\w+)\}$/.exec(segment)?.[1];
    if (rest && i === wanted.length - 1) parameters[rest] = given.slice(i).join("/");
    else if (name && value) {
      const text = decode(value);
      // A proxy on the way may resolve these, and the path would be another.
      if (text === "." || text === "..") return undefined;
      parameters[name] = text;
    } else if (segment !== value) return undefined;
  }
  return parameters;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    const detail = `the path segment ${segment} is not percent-encoded UTF-8`;
    throw new HostError("ERR_BAD_REQUEST", detail, { cause });
  }
}
