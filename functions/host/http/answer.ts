import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { RouteAnswer } from "../base/answer.ts";
import { type HostError, problemType } from "../base/errors.ts";

/** Answers once: an answer that has begun already is left alone. Throws for a body that is no JSON value. */
export function sendAnswer(response: ServerResponse, answer: RouteAnswer): void {
  const { body } = answer;
  if (body instanceof Readable) {
    sendStream(response, answer, body);
    return;
  }
  if (response.headersSent || response.destroyed) return;
  const bytes = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  response.statusCode = answer.status ?? (body === undefined ? 204 : 200);
  if (bytes !== undefined) response.setHeader("content-type", "application/json");
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  if (bytes !== undefined) response.setHeader("content-length", Buffer.byteLength(bytes));
  response.end(bytes);
}

/** Ends with the stream or with the client, whichever ends first. */
function sendStream(response: ServerResponse, answer: RouteAnswer, body: Readable): void {
  if (response.headersSent || response.destroyed) {
    body.destroy();
    return;
  }
  response.writeHead(answer.status ?? 200, { ...answer.headers });
  if (response.req.method === "HEAD") {
    body.destroy();
    response.end();
    return;
  }
  response.flushHeaders();
  pipeline(body, response).catch(() => {}); // the client left, or the stream broke off: both are closed
}

/** Answers with the error as a problem (RFC 9457). */
export function sendProblem(response: ServerResponse, error: HostError): void {
  if (error.code === "ERR_TOO_LARGE" && !response.headersSent) {
    // The rest of the body is not read, so the connection cannot be used again.
    response.setHeader("connection", "close");
  }
  const problem = error.toProblem();
  const headers = { "content-type": problemType, ...error.headers };
  sendAnswer(response, { status: problem.status, headers, body: problem });
}
