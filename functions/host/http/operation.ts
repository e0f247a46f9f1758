/** A request over HTTP/1.1 as an operation: its attributes, and its end with the response. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { clientLeft, type RunningCall } from "../call/call.ts";
import type { Served, Serving } from "../call/serving.ts";
import type { ReceivedEvent } from "../events/event.ts";
import { eventAttributes } from "../telemetry/semantics.ts";

export interface HttpOperation extends Served {
  /** Names the operation by the route that the request takes. */
  onRoute(path: string): void;
}

/** Begins it; it ends with the response, however that ends. */
export function beginHttpOperation(
  request: IncomingMessage,
  response: ServerResponse,
  {
    begun,
    serving,
    startedAt,
    event,
  }: {
    begun: RunningCall;
    serving: Serving;
    startedAt: number;
    event: ReceivedEvent | undefined;
  },
): HttpOperation {
  const { method = "", headers, socket, httpVersion } = request;
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  const userAgent = headers["user-agent"];
  const served = serving.serve(begun, {
    protocol: "http",
    name: method,
    attributes: {
      "http.request.method": method,
      "url.scheme": "http",
      "url.path": path,
      "network.protocol.version": httpVersion,
      ...(userAgent && { "user_agent.original": userAgent }),
      ...(event && eventAttributes(event.attributes)),
    },
    startedAt,
    event,
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
    // nginx's status for a client that left before there was an answer.
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
    ...served,
    onRoute(found) {
      route = found;
      call.operation?.set({ "http.route": found });
      call.operation?.rename(`${method} ${found}`);
    },
  };
}
