/**
 * The answer of a handler that its author registered with functions-framework directly: that framework's own
 * server runs it (Express, its parsers, its signatures). What the framework would answer to a handler
 * that throws, and to a path that it does not serve, becomes a problem like every other.
 */
import { IncomingMessage, type ServerResponse } from "node:http";
import { getTestServer } from "@google-cloud/functions-framework/testing";
import { HostError } from "../base/errors.ts";
import { headersFromHttp, type PropagatedHeaders } from "../base/headers.ts";
import type { Body } from "../events/event.ts";
import { hasBody } from "./body.ts";
import type { RoadOptions } from "./road.ts";

/** `name` is the one that the handler was registered with. */
export function byFramework(name: string): RoadOptions["answer"] {
  // It does not listen: each request is handed to it.
  const framework = getTestServer(name);
  return ({ call, body }, request, response) => {
    const handed = hasBody(request) ? replay(request, body) : request;
    if (call.operation?.trace) overwriteHeaders(handed, call.headers);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    response.once("close", resolve);
    onFrameworkPage(response, (page) => {
      reject(page === "crash" ? handlerThrew : pageAsError(page, hasBody(request)));
    });
    framework.emit("request", handed, response);
    return promise;
  };
}

/** Set by functions-framework on its answer to a handler that threw. */
const crashHeader = "x-google-status";

/** Calls `report` in place of sending a page of functions-framework or Express: with its status, or with a crash. */
function onFrameworkPage(response: ServerResponse, report: (page: number | "crash") => void): void {
  const { end } = response;
  const own = (...args: unknown[]) => Reflect.apply(end, response, args);
  response.end = (...args: unknown[]) => {
    const { statusCode } = response;
    const crashed = response.hasHeader(crashHeader);
    // Express' own error page: finalhandler sets this policy on it.
    const page = response.getHeader("content-security-policy") === "default-src 'none'";
    if (response.headersSent || !(crashed || (page && statusCode >= 400))) return own(...args);
    for (const name of response.getHeaderNames()) {
      if (!kept.has(name)) response.removeHeader(name);
    }
    response.end = end;
    report(crashed ? "crash" : statusCode);
    return response;
  };
}

const kept = new Set(["connection", "x-request-id", "traceresponse", "vary"]);
kept.add("x-content-type-options");
kept.add("access-control-allow-origin").add("access-control-expose-headers");

function pageAsError(status: number, hadBody: boolean): HostError {
  if (status === 404) return new HostError("ERR_NOT_FOUND", "the handler does not serve this");
  if (status === 413) return new HostError("ERR_TOO_LARGE", "the body is too large");
  if (status === 415)
    return new HostError("ERR_MEDIA_TYPE", "the body's encoding is not supported");
  if (status < 500) return new HostError("ERR_BAD_REQUEST", "the request cannot be read");
  // Its parts for events take it for granted that there is a body.
  if (!hadBody) {
    const headers = { allow: "POST" };
    return new HostError("ERR_METHOD", "the handler takes events, by POST", { headers });
  }
  return handlerThrew;
}

/** functions-framework has written the stack to stderr. */
const handlerThrew = new HostError("ERR_INTERNAL", "failed unexpectedly, its log says how");

/**
 * The request again, with its body unread, for functions-framework's parsers. JSON is parsed already: its parser
 * takes objects and lists alone.
 */
function replay(request: IncomingMessage, { bytes, json }: Body): IncomingMessage {
  const copy = new IncomingMessage(request.socket);
  const { method, url, headers, rawHeaders, httpVersion, httpVersionMajor, httpVersionMinor } =
    request;
  Object.assign(copy, { method, url, headers, rawHeaders });
  Object.assign(copy, { httpVersion, httpVersionMajor, httpVersionMinor, complete: true });
  if (json === undefined) copy.push(bytes);
  else Object.assign(copy, { body: json, rawBody: bytes, readable: false });
  copy.push(null);
  return copy;
}

/** Continues the trace for a handler that reads the request's headers itself. */
function overwriteHeaders(request: IncomingMessage, headers: PropagatedHeaders): void {
  // Those that were there and are no more would contradict the others.
  for (const name of Object.keys(headersFromHttp(request.headers))) delete request.headers[name];
  Object.assign(request.headers, headers);
}
