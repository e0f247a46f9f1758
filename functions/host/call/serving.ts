/** What both faces of a function do with a request that came in: its operation, its logger, its access line. */
import type { Attributes } from "@opentelemetry/api";
import type { PropagatedHeaders } from "../base/headers.ts";
import { logOf } from "../telemetry/logger.ts";
import { placeInTrace } from "../telemetry/trace-context.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import type { Admission } from "./admission.ts";
import type { RunningCall } from "./call.ts";

export interface ServedRequest {
  readonly protocol: "http" | "grpc";
  /** Until the route is known. */
  readonly name: string;
  readonly attributes: Attributes;
  /** By performance.now(). */
  readonly startedAt: number;
  /** The propagated headers of an event that the request brings: they lead. */
  readonly event?: PropagatedHeaders | undefined;
}

export interface Served {
  readonly call: RunningCall;
  /** Ends the call and its operation, and logs the access line. Idempotent. */
  end(answer: ServedAnswer): void;
}

export interface ServedAnswer {
  /** As a person reads it: "GET /api/greeting 200". */
  readonly summary: string;
  readonly route: string | undefined;
  /** The HTTP or gRPC status. */
  readonly status: number;
  readonly bytes: number;
  readonly attributes: Attributes;
}

/** Takes a call that has begun, and gives it its place in the trace and in the log. */
export type Serve = (call: RunningCall, request: ServedRequest) => Served;

export function createServing({
  tracing,
  admission,
}: {
  tracing: Tracing;
  admission: Pick<Admission, "headersOf">;
}): Serve {
  let cold = true;

  return (call, { protocol, name, attributes, startedAt, event }) => {
    const coldStart = cold;
    cold = false;
    const { trace, links } = placeInTrace(call.headers, event);
    const headers = admission.headersOf({ ...call.headers, ...event });
    const operation = tracing.begin(
      {
        kind: "server",
        name,
        attributes: {
          ...attributes,
          "faas.trigger": event ? "pubsub" : "http",
          ...(coldStart && { "faas.coldstart": true }),
        },
      },
      { headers },
      { trace, links, startedAt },
    );
    const log = logOf(call.log, headers, operation.trace ?? trace.parent);
    let ended = false;
    return {
      call: { ...call, headers: operation.headers, operation, log },
      end({ summary, route, status, bytes, attributes: last }) {
        if (ended) return;
        ended = true;
        operation.set(last);
        operation.end();
        const durationMs = Math.round((performance.now() - startedAt) * 10) / 10;
        log.info(
          { route, protocol, status, durationMs, bytes, ...(coldStart && { coldStart }) },
          `${summary} in ${durationMs} ms${coldStart ? ", the first of this process" : ""}`,
        );
        call.end();
      },
    };
  };
}
