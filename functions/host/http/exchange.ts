/** The HTTP face of a function: the handler that functions-framework dispatches to, and its routes. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { http as registerWithFramework } from "@google-cloud/functions-framework";
import { HostError, problemType } from "../base/errors.ts";
import type { Call } from "../call/call.ts";
import type { Route, RouteAnswer } from "../kinds/definition.ts";

/** What a host knows of a request beyond what functions-framework hands to a handler. */
export interface Exchange {
  readonly call: Call;
  readonly routes: readonly Route[];
  readonly body: Buffer;
  /** Called before a stream is sent: it has neither a deadline nor a part in draining. */
  onStream(): void;
  /** Called with the route that is taken. */
  onRoute(path: string): void;
}

const exchanges = new WeakMap<IncomingMessage, Exchange>();

/** Ties what the host knows of a request to it, on its way through functions-framework. */
export function attachExchange(request: IncomingMessage, exchange: Exchange): void {
  exchanges.set(request, exchange);
}

/**
 * Registers the handler of a defined function under its name. It never throws into
 * functions-framework, whose answer to that is an HTML page or the whole process's end.
 */
export function registerFunction(name: string): void {
  registerWithFramework(name, async (request, response) => {
    try {
      const exchange = exchanges.get(request);
      if (!exchange)
        throw new HostError("ERR_CONFIG", `${name} runs by functions/host/main.ts only`);
      const answer = await dispatch(exchange, request);
      if (answer.body instanceof Readable) exchange.onStream();
      sendAnswer(response, answer);
    } catch (thrown) {
      sendProblem(response, thrown, exchanges.get(request)?.call);
    }
  });
}

async function dispatch(exchange: Exchange, request: IncomingMessage): Promise<RouteAnswer> {
  // Not by the URL class, which takes "//name" for a host, and throws where there is none.
  const [pathname = "/", query] = (request.url ?? "/").split(/\?(.*)/s, 2);
  const matches = exchange.routes.flatMap((route) => {
    const parameters = matchPath(route.path, pathname);
    return parameters ? [{ route, parameters }] : [];
  });
  if (matches.length === 0) {
    throw new HostError("ERR_NOT_FOUND", `nothing is at ${pathname}`);
  }
  // RFC 9110, 9.3.2: HEAD is GET without the content, which node:http leaves out by itself.
  const method = request.method === "HEAD" ? "GET" : request.method;
  const match = matches.find(({ route }) => route.method === method);
  if (!match) {
    const allowed = matches.flatMap(({ route }) =>
      route.method === "GET" ? ["GET", "HEAD"] : [route.method],
    );
    const detail = `${request.method} is not possible at ${pathname}`;
    const problem = new HostError("ERR_METHOD", detail).toProblem();
    return problemAnswer(problem.status, problem, { allow: allowed.join(", ") });
  }
  const { call, body } = exchange;
  const { headers } = request;
  exchange.onRoute(match.route.path);
  return match.route.handle({
    call,
    parameters: match.parameters,
    query: new URLSearchParams(query),
    headers,
    body,
  });
}

/** The named segments of a path, or undefined where it does not match the template. */
export function matchPath(template: string, path: string): Record<string, string> | undefined {
  const wanted = template.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [i, segment] of wanted.entries()) {
    const value = given[i] ?? "";
    const name = /^\{(\w+)\}$/.exec(segment)?.[1];
    if (name && value) parameters[name] = decode(value);
    else if (segment !== value) return undefined;
  }
  return parameters;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HostError(
      "ERR_BAD_REQUEST",
      `the path segment ${segment} is not percent-encoded UTF-8`,
    );
  }
}

function problemAnswer(status: number, body: object, headers = {}): RouteAnswer {
  return { status, headers: { "content-type": problemType, ...headers }, body };
}

export function sendAnswer(response: ServerResponse, answer: RouteAnswer): void {
  const { body } = answer;
  if (body instanceof Readable) {
    sendStream(response, answer, body);
    return;
  }
  if (response.headersSent || response.destroyed) return;
  const bytes = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  response.statusCode = answer.status;
  if (bytes !== undefined) response.setHeader("content-type", "application/json");
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  if (bytes !== undefined) response.setHeader("content-length", Buffer.byteLength(bytes));
  response.end(bytes);
}

/** Ends with the stream or with the client, whoever is first. */
function sendStream(response: ServerResponse, answer: RouteAnswer, body: Readable): void {
  if (response.headersSent || response.destroyed) {
    body.destroy();
    return;
  }
  response.writeHead(answer.status, { ...answer.headers });
  if (response.req.method === "HEAD") {
    body.destroy();
    response.end();
    return;
  }
  response.flushHeaders();
  pipeline(body, response).catch(() => {}); // the client left, or the stream broke off: both are closed
}

/** Answers with a problem; what we did not foresee is logged in full, and only here. */
export function sendProblem(response: ServerResponse, thrown: unknown, call?: Call): void {
  const error = HostError.from(thrown);
  call?.operation?.fail(error);
  const problem = error.toProblem();
  if (error.code === "ERR_INTERNAL") call?.log.error({ err: thrown }, "failed unexpectedly");
  else call?.log.debug({ err: error }, "answered with an error");
  sendAnswer(response, problemAnswer(problem.status, problem));
}
