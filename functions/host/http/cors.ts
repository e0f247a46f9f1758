import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Cross-origin access for the pages of `origins`, or of any origin with "*" (WHATWG Fetch, CORS).
 * Returns true when the request was a preflight and is answered.
 */
export function answerCors(
  origins: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { origin } = request.headers;
  if (origins.length === 0) return false;
  if (!origins.includes("*")) response.setHeader("vary", "origin");
  if (!origin || !(origins.includes("*") || origins.includes(origin))) return false;
  response.setHeader("access-control-allow-origin", origins.includes("*") ? "*" : origin);
  response.setHeader("access-control-expose-headers", "traceresponse, x-request-id");
  if (request.method !== "OPTIONS") return false;
  const asked = request.headers["access-control-request-headers"];
  if (asked) response.setHeader("access-control-allow-headers", asked);
  response.setHeader("access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
  response.setHeader("access-control-max-age", "600");
  response.statusCode = 204;
  response.end();
  return true;
}
