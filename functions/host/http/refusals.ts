/**
 * Answers that node:http would give by itself, without a body: to bytes that are no request, to an expectation, to
 * a request that does not name its host. Each is a problem, as every other answer is.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { HostError, problemType } from "../base/errors.ts";

type ParserError = Error & { readonly code?: string; readonly reason?: string };

/** The last answer of a connection: one that is under way is not written into. */
const answers = new WeakMap<Duplex, ServerResponse>();

/**
 * To be called with each request, before it is answered. False for one that came behind an answer that closes its
 * connection: node:http hands it out, but nothing will be sent for it, so it must not be done either (RFC 9112, 9.6).
 */
export function noteAnswer({ socket }: IncomingMessage, response: ServerResponse): boolean {
  const last = answers.get(socket);
  if (last && isLast(last)) return false;
  answers.set(socket, response);
  return true;
}

/** The connection is closed behind it. */
function isLast(response: ServerResponse): boolean {
  return !response.shouldKeepAlive || response.getHeader("connection") === "close";
}

/** For node:http's event clientError: answers, where that is possible, and closes. */
export function refuseBytes(error: ParserError, socket: Duplex): void {
  const response = answers.get(socket);
  const underWay = response && !response.writableEnded;
  // A request before this one, on the same connection, is whole: its answer comes first.
  if (underWay && response.req.complete) {
    response.once("finish", () => refuseBytes(error, socket));
    return;
  }
  if (response && !underWay && isLast(response)) return;
  if (error.code === "ECONNRESET" || !socket.writable || (underWay && response.headersSent)) {
    socket.destroy();
    return;
  }
  const problem = problemOf(error).toProblem();
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    "connection: close",
    `content-type: ${problemType}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

function problemOf({ code, reason }: ParserError): HostError {
  if (code === "HPE_HEADER_OVERFLOW")
    return new HostError("ERR_TOO_LARGE", "the headers are too large", { http: 431 });
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW")
    return new HostError("ERR_TOO_LARGE", "the chunk extensions are too large");
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return new HostError("ERR_BAD_REQUEST", "the request did not come in time", { http: 408 });
  // The parser's own words, from a fixed list: "Invalid header value char".
  return new HostError(
    "ERR_BAD_REQUEST",
    `not a request of HTTP/1.1${reason ? `: ${reason}` : ""}`,
  );
}

/** RFC 9110, 15.6.6: another major version. RFC 9112, 3.2: HTTP/1.1 names its host, and no request names two. */
export function requestProblem(request: IncomingMessage): HostError | undefined {
  const { rawHeaders, httpVersion, httpVersionMajor } = request;
  if (httpVersionMajor !== 1) {
    const detail = `HTTP/1.1 is spoken here, and not HTTP/${httpVersion}`;
    return new HostError("ERR_BAD_REQUEST", detail, { http: 505 });
  }
  const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === "host");
  if (hosts.length === 1 || (hosts.length === 0 && httpVersion === "1.0")) return undefined;
  return new HostError("ERR_BAD_REQUEST", "exactly one Host header is expected");
}

/** RFC 9110, 10.1.1: another expectation than 100-continue. */
export function expectationProblem(): HostError {
  return new HostError("ERR_BAD_REQUEST", "no expectation but 100-continue is known", {
    http: 417,
  });
}
