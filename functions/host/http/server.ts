/** The HTTP/1.1 face of a function: health and metrics, limits of the connection, and the road to its answer. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { RouteAnswer } from "../base/answer.ts";
import { HostError } from "../base/errors.ts";
import { maxHeaderBytes } from "../base/header-limits.ts";
import type { ConnectionLimits } from "../serve/limits.ts";
import { sendAnswer, sendProblem } from "./answer.ts";
import { answerCors } from "./cors.ts";
import { expectationProblem, noteAnswer, refuseBytes, requestProblem } from "./refusals.ts";

export interface HttpServerOptions {
  /** Answers every request but those below; never throws. */
  handle(request: IncomingMessage, response: ServerResponse): unknown;
  /** GET /healthz and /readyz; undefined for other paths. */
  probe(url: string): RouteAnswer | undefined;
  /** Answers GET /metrics, which then is no path of the function's. */
  metrics: { answer(accept: string | undefined): Promise<RouteAnswer> } | undefined;
  /** Origins whose pages may call this function; usually none. */
  corsOrigins: readonly string[];
  /** True while the process is about to end: answers then close their connection. */
  draining(): boolean;
  limits: ConnectionLimits;
}

export function createHttpServer(options: HttpServerOptions): Server {
  const listener: RequestListener = (request, response) => {
    if (!noteAnswer(request, response)) return;
    const problem = requestProblem(request);
    if (problem) return refuse(response, problem);
    // A client that takes us for its proxy sends the absolute form (RFC 9112, 3.2.2).
    request.url = request.url?.replace(/^https?:\/\/[^/?#]*/i, "").replace(/^(?!\/)/, "/");
    // What a client sent may be in the answer: no browser is to take it for something else than it says it is.
    response.setHeader("x-content-type-options", "nosniff");
    // One that waits for its answer is not meant: only one that does not take it holds bytes of ours.
    response.setTimeout(options.limits.requestMs, () => {
      if ((response.socket?.writableLength ?? 0) > 0) response.socket?.destroy();
    });
    if (options.draining()) response.setHeader("connection", "close");
    if (answerCors(options.corsOrigins, request, response)) return;
    const reads = request.method === "GET" || request.method === "HEAD";
    const { url = "", headers } = request;
    const probe = reads && options.probe(url);
    if (probe) sendAnswer(response, probe);
    else if (reads && options.metrics && /^\/metrics(\?|$)/.test(url)) {
      options.metrics.answer(headers.accept).then(
        (answer) => sendAnswer(response, answer),
        (thrown) => sendProblem(response, HostError.from(thrown)),
      );
    } else options.handle(request, response);
  };
  const server = createServer(
    {
      headersTimeout: options.limits.headersMs,
      requestTimeout: options.limits.requestMs,
      // By default both are looked at every 30 s.
      connectionsCheckingInterval: Math.min(1_000, options.limits.headersMs),
      maxHeaderSize: maxHeaderBytes,
      // The host is looked at here, where the answer has a body.
      requireHostHeader: false,
    },
    listener,
  );
  // Without this listener, node:http asks for a body before we have seen whether it is too large.
  server.on("checkContinue", listener);
  server.on("checkExpectation", (request, response) => {
    if (noteAnswer(request, response)) refuse(response, expectationProblem());
  });
  server.on("clientError", refuseBytes);
  // Headers beyond the default of 2,000 would be dropped without a word; their size is limited in any case.
  server.maxHeadersCount = 0;
  server.keepAliveTimeout = options.limits.keepAliveMs;
  return server;
}

/** Its body is not read, so the connection cannot be used again. */
function refuse(response: ServerResponse, problem: HostError): void {
  response.setHeader("connection", "close");
  sendProblem(response, problem);
}
