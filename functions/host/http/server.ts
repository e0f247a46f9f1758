/**
 * The HTTP/1.1 front of functions-framework's server: health, the limits that the framework does
 * not set (it would read a body of 1 GiB, and answers malformed JSON with an HTML page), and the
 * call that goes with each request.
 */
import {
  createServer,
  IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { HostError } from "../base/errors.ts";
import { headersFromHttp, type PropagatedHeaders } from "../base/headers.ts";
import { type Call, parseTimeout, type RunningCall, timeoutHeader } from "../call/call.ts";
import type { Serve } from "../call/serving.ts";
import type { Route } from "../kinds/definition.ts";
import type { Health } from "../serve/health.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { formatTrace } from "../telemetry/trace-context.ts";
import { answerCors } from "./cors.ts";
import { attachExchange, sendAnswer, sendProblem } from "./exchange.ts";
import { beginHttpOperation, overwriteHeaders } from "./operation.ts";

export interface HttpServerOptions {
  /** functions-framework's server for the function: it does not listen, it is handed each request. */
  framework: Server;
  routes: readonly Route[];
  health: Health;
  /** Answers GET /metrics, which then is no path of the function's. */
  metrics: Pick<Metrics, "answer"> | undefined;
  bodyLimitBytes: number;
  /** Origins whose pages may call this function; usually none. */
  corsOrigins: readonly string[];
  /** True while the process is about to end: answers then close their connection. */
  draining(): boolean;
  /** Begins a call; `timeoutMs` is what its client allows, if it says so. */
  begin(headers: PropagatedHeaders, timeoutMs: number | undefined): RunningCall;
  serve: Serve;
  /** Waited for before the function gets the request; `event` is the one that it brings. */
  admit(call: Call, event?: string): Promise<void>;
}

export function createHttpServer(options: HttpServerOptions): Server {
  const listener: RequestListener = (request, response) => {
    if (options.draining()) response.setHeader("connection", "close");
    if (answerCors(options.corsOrigins, request, response)) return;
    const reads = request.method === "GET" || request.method === "HEAD";
    const { url = "", headers } = request;
    const probe = reads && options.health.answer(url);
    if (probe) sendAnswer(response, probe);
    else if (reads && options.metrics && /^\/metrics(\?|$)/.test(url)) {
      options.metrics.answer(headers.accept).then(
        (answer) => sendAnswer(response, answer),
        (thrown) => sendProblem(response, thrown),
      );
    } else void serve(request, response, options);
  };
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 60_000 }, listener);
  // Without this listener, node:http asks for a body before we have seen whether it is too large.
  server.on("checkContinue", listener);
  // Longer than the idle timeout of Envoy's and Knative's pools would be unsafe the other way round.
  server.keepAliveTimeout = 75_000;
  return server;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpServerOptions,
): Promise<void> {
  const startedAt = performance.now();
  const { headers } = request;
  const timeoutMs = parseTimeout(String(headers[timeoutHeader] ?? ""));
  const begun = options.begin(headersFromHttp(headers), timeoutMs);
  const hasBody = "transfer-encoding" in headers || Number(headers["content-length"] ?? 0) > 0;
  let body: Buffer = Buffer.alloc(0);
  let refusal: unknown;
  try {
    if (hasBody) body = await readBody(request, response, options);
  } catch (thrown) {
    refusal = thrown;
  }
  // Only now: the body may be an event, which has its own place in a trace.
  const { serve } = options;
  const started = { begun, serve, startedAt, body };
  const { call, event, onRoute } = beginHttpOperation(request, response, started);
  if (!response.headersSent) {
    response.setHeader("x-request-id", call.headers["x-request-id"] ?? "");
    const trace = call.operation?.trace;
    if (trace) response.setHeader("traceresponse", formatTrace(trace));
  }
  try {
    if (refusal) throw refusal;
    await options.admit(call, event);
    const handed = hasBody ? replay(request, body) : request;
    if (call.operation?.trace) overwriteHeaders(handed, call.headers);
    const { routes } = options;
    attachExchange(handed, { call, routes, body, onRoute, onStream: begun.end });
    options.framework.emit("request", handed, response);
  } catch (thrown) {
    if (thrown instanceof HostError && thrown.code === "ERR_TOO_LARGE") {
      // The rest of the body is not read, so the connection cannot be used again.
      response.setHeader("connection", "close");
    }
    sendProblem(response, thrown, call);
  }
}

async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  { bodyLimitBytes }: HttpServerOptions,
): Promise<Buffer> {
  const tooLarge = () =>
    new HostError("ERR_TOO_LARGE", `the body may have ${bodyLimitBytes} bytes at most`);
  if (Number(request.headers["content-length"] ?? 0) > bodyLimitBytes) throw tooLarge();
  if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();

  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > bodyLimitBytes) {
      request.pause();
      reject(tooLarge());
    } else chunks.push(chunk);
  });
  request.once("end", () => resolve(Buffer.concat(chunks)));
  request.once("error", () => reject(new HostError("ERR_CANCELLED", "the client left")));
  const body = await promise;

  if (/^application\/([\w.-]+\+)?json\b/i.test(request.headers["content-type"] ?? "")) {
    try {
      JSON.parse(body.toString());
    } catch (thrown) {
      const detail = `the body is not JSON: ${(thrown as Error).message}`;
      throw new HostError("ERR_BAD_REQUEST", detail, { cause: thrown });
    }
  }
  return body;
}

/** The request again, with its body unread, for functions-framework's parsers. */
function replay(request: IncomingMessage, body: Buffer): IncomingMessage {
  const copy = new IncomingMessage(request.socket);
  const { method, url, headers, rawHeaders, httpVersion, httpVersionMajor, httpVersionMinor } =
    request;
  Object.assign(copy, { method, url, headers, rawHeaders });
  Object.assign(copy, { httpVersion, httpVersionMajor, httpVersionMinor, complete: true });
  copy.push(body);
  copy.push(null);
  return copy;
}
