import { randomUUID } from "node:crypto";
import { HostError } from "../base/errors.ts";
import type { PropagatedHeaders } from "../base/headers.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { RunningOperation } from "../telemetry/tracing.ts";
import { Ending } from "./ending.ts";

/** What belongs to one request, and is handed on explicitly to everything done for it. */
export interface Call {
  /** Aborts when the client left, the deadline passed or the host gives up; its reason is a HostError. */
  readonly signal: AbortSignal;
  /** The same for the host's own code, which needs no AbortSignal. */
  readonly ending: Ending;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly headers: PropagatedHeaders;
  /** Names the request: the same key, sent again, asks for the same effects. */
  readonly key: string;
  readonly log: Logger;
  /** What it is served by: all that is done for the call belongs to its span. */
  readonly operation?: RunningOperation | undefined;
  /** The same call with other parts. */
  with(parts: CallParts): Call;
}

export interface CallParts extends Partial<Pick<Call, "ending" | "headers" | "key" | "operation">> {
  /** Makes the logger, which most requests do without. */
  readonly log?: () => Logger;
}

export interface RunningCall extends Call {
  with(parts: CallParts): RunningCall;
  abort(reason: HostError): void;
  /** Ends the call's timer. Idempotent; every call must be ended. */
  end(): void;
}

/** Why a call ends whose client does not wait for the answer. */
export const clientLeft = new HostError("ERR_CANCELLED", "the client left");

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
  /** Called each time that the call is ended. */
  onEnd?: () => void;
}): RunningCall {
  const { headers, timeoutMs, key = randomUUID(), log, onEnd } = options;
  const ending = new Ending();
  const timer = setTimeout(
    () =>
      ending.abort(new HostError("ERR_DEADLINE", `no answer within ${Math.round(timeoutMs)} ms`)),
    timeoutMs,
  );
  const end = () => {
    clearTimeout(timer);
    onEnd?.();
  };
  const deadline = Date.now() + timeoutMs;
  return new HostCall({
    ending,
    end,
    deadline,
    headers,
    key,
    log: () => log,
    operation: undefined,
  });
}

type Parts = Required<CallParts> & Pick<RunningCall, "deadline" | "end">;

/** A class, for there are several to a request, and getters of an object's own take fifty times as long to make. */
class HostCall implements RunningCall {
  readonly ending: Ending;
  readonly deadline: number;
  readonly headers: PropagatedHeaders;
  readonly key: string;
  readonly operation: RunningOperation | undefined;
  readonly end: () => void;
  readonly #makeLog: () => Logger;
  #log: Logger | undefined;

  constructor({ ending, deadline, headers, key, operation, end, log }: Parts) {
    this.ending = ending;
    this.deadline = deadline;
    this.headers = headers;
    this.key = key;
    this.operation = operation;
    this.end = end;
    this.#makeLog = log;
  }

  get signal(): AbortSignal {
    return this.ending.signal;
  }

  get log(): Logger {
    this.#log ??= this.#makeLog();
    return this.#log;
  }

  abort(reason: HostError): void {
    this.ending.abort(reason);
  }

  with({ ending, headers, key, operation, log }: CallParts): RunningCall {
    return new HostCall({
      ending: ending ?? this.ending,
      deadline: this.deadline,
      headers: headers ?? this.headers,
      key: key ?? this.key,
      operation: operation ?? this.operation,
      end: this.end,
      log: log ?? (() => this.log),
    });
  }
}

/** The same call for work that has siblings: aborting it leaves the call itself alone. */
export function forkCall(call: Call): { call: Call; abort(): void } {
  const ending = new Ending();
  call.ending.onAbort((reason) => ending.abort(reason));
  return {
    call: call.with({ ending }),
    abort: () => ending.abort(new HostError("ERR_CANCELLED", "cancelled, a sibling failed")),
  };
}

/** What is left for a callee, in milliseconds; throws when the call is over already. */
export function timeForCallee(call: Call): number {
  if (call.ending.reason) throw call.ending.reason;
  return Math.max(1, call.deadline - hopMarginMs - Date.now());
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
