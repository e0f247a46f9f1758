import { randomUUID } from "node:crypto";
import { HostError } from "../base/errors.ts";
import type { PropagatedHeaders } from "../base/headers.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { RunningOperation } from "../telemetry/tracing.ts";

/** What belongs to one request, and is handed on explicitly to everything done for it. */
export interface Call {
  /** Aborts when the client left, the deadline passed or the host gives up; its reason is a HostError. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly headers: PropagatedHeaders;
  /** Names the request: the same key, sent again, asks for the same effects. */
  readonly key: string;
  readonly log: Logger;
  /** What it is served by: all that is done for the call belongs to its span. */
  readonly operation?: RunningOperation;
}

export interface RunningCall extends Call {
  abort(reason: HostError): void;
  /** Ends the call's timer. Idempotent; every call must be ended. */
  end(): void;
}

/**
 * A callee's deadline lies this much before its caller's, so that its answer, which names the hop
 * that was slow, arrives before the caller gives up with less to say.
 */
const hopMarginMs = 20;

export function createCall(options: {
  headers: PropagatedHeaders;
  timeoutMs: number;
  key?: string | undefined;
  log: Logger;
}): RunningCall {
  const controller = new AbortController();
  const abort = (reason: HostError) => controller.abort(reason);
  const { timeoutMs } = options;
  const timer = setTimeout(
    () => abort(new HostError("ERR_DEADLINE", `no answer within ${Math.round(timeoutMs)} ms`)),
    timeoutMs,
  );
  return {
    signal: controller.signal,
    deadline: Date.now() + timeoutMs,
    headers: options.headers,
    key: options.key ?? randomUUID(),
    log: options.log,
    abort,
    end: () => clearTimeout(timer),
  };
}

/** The same call for work that has siblings: aborting it leaves the call itself alone. */
export function forkCall(call: Call): { call: Call; abort(): void } {
  const controller = new AbortController();
  const signal = AbortSignal.any([call.signal, controller.signal]);
  return {
    call: { ...call, signal },
    abort: () => controller.abort(new HostError("ERR_CANCELLED", "cancelled, a sibling failed")),
  };
}

/** What is left for a callee, in milliseconds; throws when the call is over already. */
export function timeForCallee(call: Call): number {
  call.signal.throwIfAborted();
  return Math.max(1, call.deadline - hopMarginMs - Date.now());
}

/**
 * The promise's outcome, or the abort's reason when the signal aborts and the promise has not settled
 * `graceMs` later: work that ends by itself then says more of where it was.
 */
export async function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  graceMs = 0,
): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  let grace: NodeJS.Timeout | undefined;
  const onAbort = () => {
    if (graceMs === 0) reject(signal.reason);
    else grace = setTimeout(() => reject(signal.reason), graceMs);
  };
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    clearTimeout(grace);
  }
}

const units: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/**
 * The header that carries the time left over HTTP too, in gRPC's notation ("4500m"), so that one
 * spelling serves both protocols: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export const timeoutHeader = "grpc-timeout";

/** Milliseconds, or undefined when the value is not a timeout. */
export function parseTimeout(value: string | undefined): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(value ?? "");
  return match ? Number(match[1]) * (units[match[2] ?? ""] ?? 0) : undefined;
}

export function formatTimeout(timeoutMs: number): string {
  return `${Math.min(99_999_999, Math.max(1, Math.floor(timeoutMs)))}m`;
}
