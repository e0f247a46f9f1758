/**
 * A request over HTTP from its headers to its answer. The way is the same under our own server and under
 * functions-framework's, which hands over the body that it has read.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { headersFromHttp } from "../base/headers.ts";
import { parseTimeout, type RunningCall, timeoutHeader } from "../call/call.ts";
import { keyHeader, readKey } from "../call/key.ts";
import type { Serving } from "../call/serving.ts";
import { type Body, type ReceivedEvent, receiveEvent } from "../events/event.ts";
import { formatTrace } from "../telemetry/trace-context.ts";
import { sendAnswer, sendProblem } from "./answer.ts";
import { parseBody, readBody } from "./body.ts";
import { beginHttpOperation, type HttpOperation } from "./operation.ts";
import { findRoute, type Route } from "./route.ts";

/** Answers a request, whatever happens; never rejects. `bytes` is its body where that has been read already. */
export type Road = (
  request: IncomingMessage,
  response: ServerResponse,
  bytes?: Buffer,
) => Promise<void>;

export interface RoadOptions {
  serving: Serving;
  bodyLimitBytes: number;
  /** Answers the request or throws; it has the call's deadline. */
  answer(arrived: Arrived, request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** A request that is ready to be worked on. */
export interface Arrived {
  readonly call: RunningCall;
  readonly body: Body;
  readonly event: ReceivedEvent | undefined;
  onRoute(path: string): void;
  /** Ends the call's deadline and its part in draining: before a stream is sent. */
  onStream(): void;
}

const noBody: Body = { bytes: Buffer.alloc(0), json: undefined };

export function createRoad({ serving, bodyLimitBytes, answer }: RoadOptions): Road {
  return async (request, response, bytes) => {
    const startedAt = performance.now();
    const { headers } = request;
    const timeoutMs = parseTimeout(String(headers[timeoutHeader] ?? ""));
    const begun = serving.begin(headersFromHttp(headers), timeoutMs, readKey(headers[keyHeader]));
    let body = noBody;
    let refusal: unknown;
    try {
      body = bytes
        ? parseBody(bytes, headers["content-type"])
        : await readBody(request, response, bodyLimitBytes);
    } catch (thrown) {
      refusal = thrown;
    }
    // Only now: the body may be an event, which has its own place in a trace.
    const event = receiveEvent(request, body);
    const operation = beginHttpOperation(request, response, { begun, serving, startedAt, event });
    const { onRoute } = operation;
    try {
      nameRequest(response, operation);
      if (refusal) throw refusal;
      await operation.run((call) => {
        const arrived = { call, body, event, onRoute, onStream: begun.end };
        return answer(arrived, request, response);
      });
    } catch (thrown) {
      sendProblem(response, operation.fail(thrown));
    }
  };
}

/** Gives the client the request's id in the logs and its place in the trace. */
function nameRequest(response: ServerResponse, { call }: HttpOperation): void {
  if (response.headersSent) return;
  response.setHeader("x-request-id", call.headers["x-request-id"] ?? "");
  const trace = call.operation?.trace;
  if (trace) response.setHeader("traceresponse", formatTrace(trace));
}

/** What a defined function does with a request: the route that it takes, and its answer. */
export function byRoute(routes: readonly Route[]): RoadOptions["answer"] {
  return async ({ call, body, event, onRoute, onStream }, request, response) => {
    const { method = "", url = "/", headers } = request;
    const { route, parameters, query } = findRoute(routes, method, url);
    onRoute(route.path);
    const answer =
      (await route.handle({ call, parameters, query, headers, body, event, onRoute })) ?? {};
    if (answer.body instanceof Readable) onStream();
    sendAnswer(response, answer);
  };
}
