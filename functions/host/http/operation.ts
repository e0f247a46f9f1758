/** A request over HTTP/1.1 as an operation: its attributes, its end with the answer, the event it may bring. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { HostError } from "../base/errors.ts";
import {
  attributesFromHttp,
  headersFromEvent,
  headersFromHttp,
  type PropagatedHeaders,
} from "../base/headers.ts";
import type { RunningCall } from "../call/call.ts";
import type { Serve } from "../call/serving.ts";
import { eventAttributes } from "../telemetry/semantics.ts";

/** nginx's status for a client that left before there was an answer. */
const clientLeft = new HostError("ERR_CANCELLED", "the client left");

export interface HttpOperation {
  readonly call: RunningCall;
  /** The id of the event that the request brings: source and id, which together are unique (CloudEvents 1.0). */
  readonly event: string | undefined;
  /** Called when it is known which route of the function the request takes. */
  onRoute(path: string): void;
}

/** Begins it; it ends with the response, however that ends. */
export function beginHttpOperation(
  request: IncomingMessage,
  response: ServerResponse,
  {
    begun,
    serve,
    startedAt,
    body,
  }: { begun: RunningCall; serve: Serve; startedAt: number; body: Buffer },
): HttpOperation {
  const { method = "", headers, socket, httpVersion } = request;
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  const userAgent = headers["user-agent"];
  const event = eventOf(headers, body);
  const served = serve(begun, {
    protocol: "http",
    name: method,
    attributes: {
      "http.request.method": method,
      "url.scheme": "http",
      "url.path": path,
      "network.protocol.version": httpVersion,
      ...(userAgent && { "user_agent.original": userAgent }),
      ...event?.attributes,
    },
    startedAt,
    event: event?.headers,
  });
  const { call } = served;
  const sentBefore = socket.bytesWritten;
  let route: string | undefined;

  const end = () => {
    const complete = response.writableFinished;
    if (!complete) {
      call.operation?.fail(clientLeft);
      call.abort(clientLeft);
    }
    const status = complete || response.headersSent ? response.statusCode : clientLeft.http;
    served.end({
      summary: `${method} ${route ?? path} ${status}`,
      route,
      status,
      bytes: socket.bytesWritten - sentBefore,
      attributes: {
        "http.response.status_code": status,
        // A handler that answers by itself says no more than that; a failure of ours has its code.
        ...(complete && status >= 500 && { "error.type": String(status) }),
      },
    });
  };
  if (response.closed) end();
  else response.once("close", end);

  return {
    call,
    event: event?.id,
    onRoute(found) {
      route = found;
      call.operation?.set({ "http.route": found });
      call.operation?.rename(`${method} ${found}`);
    },
  };
}

/** The CloudEvent of a request, in either mode, as far as it matters here; undefined for other requests. */
function eventOf(headers: IncomingHttpHeaders, body: Buffer) {
  const event = headers["ce-specversion"]
    ? attributesFromHttp(headers)
    : structuredEvent(headers, body);
  if (!event) return undefined;
  const propagated: PropagatedHeaders = headersFromEvent(event);
  const text = (name: string) => (typeof event[name] === "string" ? String(event[name]) : "");
  return {
    id: `${text("source")} ${text("id")}`,
    headers: propagated,
    attributes: eventAttributes({ id: text("id"), type: text("type"), source: text("source") }),
  };
}

function structuredEvent(
  headers: IncomingHttpHeaders,
  body: Buffer,
): Record<string, unknown> | undefined {
  if (!/^application\/cloudevents\+json\b/i.test(headers["content-type"] ?? "")) return undefined;
  try {
    const event = JSON.parse(body.toString());
    return typeof event === "object" && event !== null ? event : undefined;
  } catch {
    return undefined;
  }
}

/** Hands the trace on to a handler that takes the headers as they are: a plain one, of functions-framework. */
export function overwriteHeaders(request: IncomingMessage, headers: PropagatedHeaders): void {
  // Those that were there and are no more would contradict the others.
  for (const name of Object.keys(headersFromHttp(request.headers))) delete request.headers[name];
  Object.assign(request.headers, headers);
}
