/**
 * Keeps a callee that is slow or away from taking its caller along: a bound of calls that are under way to each, and
 * retries within a budget, as gRPC's retry throttling has it (https://github.com/grpc/proposal/blob/master/A6-client-retries.md).
 */
import { backoff, pause } from "../base/backoff.ts";
import { HostError, reasonOf } from "../base/errors.ts";
import type { RunningOperation } from "../telemetry/tracing.ts";
import type { Call } from "./call.ts";
import type { Wake } from "./wake.ts";

/** Whether a failed try may be followed by another, and when. */
export interface Retry {
  readonly retry: "at once" | "after a wait" | undefined;
  /** The callee may have worked for it, so that retries are load, and need a budget. */
  readonly costs: boolean;
}

export const noRetry: Retry = { retry: undefined, costs: false };

export interface Guarded<T> {
  readonly callee: string;
  readonly call: Call;
  readonly running: RunningOperation;
  once(): Promise<T>;
  /** `tries` were made before, 0 at the first failure. */
  retryOf(thrown: unknown, tries: number): Retry;
  /** Whether the callee itself has said this: an answer, though no good one. */
  isAnswer?(thrown: unknown): boolean;
}

export interface Guard {
  /** Throws ERR_OVERLOAD where the callee has its bound of calls already, else what the last try threw. */
  run<T>(guarded: Guarded<T>): Promise<T>;
}

const mostTries = 4;
const waits = { firstMs: 100, longestMs: 400 };

/**
 * A failure for which the callee may have worked takes a token, a success gives a tenth back; below the half of them
 * no such call is tried again. What was never sent is no load for it, and takes none.
 */
const budget = { tokens: 10, perSuccess: 0.1 };

interface CalleeState {
  underWay: number;
  tokens: number;
}

/** `wake` hears of every call and answer. */
export function createGuard(mostUnderWay = Number.POSITIVE_INFINITY, wake?: Wake): Guard {
  const states = new Map<string, CalleeState>();
  const stateOf = (callee: string): CalleeState => {
    const state = states.get(callee) ?? { underWay: 0, tokens: budget.tokens };
    states.set(callee, state);
    return state;
  };

  const attempt = async <T>(guarded: Guarded<T>, state: CalleeState, tries = 0): Promise<T> => {
    const { call, running } = guarded;
    try {
      const result = await guarded.once();
      state.tokens = Math.min(budget.tokens, state.tokens + budget.perSuccess);
      return result;
    } catch (thrown) {
      const { retry, costs } = guarded.retryOf(thrown, tries);
      if (costs) state.tokens = Math.max(0, state.tokens - 1);
      const isPoor = costs && state.tokens < budget.tokens / 2;
      const waitMs = retry === "after a wait" ? backoff(tries + 1, waits) : 0;
      const isLate = Date.now() + waitMs >= call.deadline;
      if (!retry || tries + 1 >= mostTries || isPoor || isLate) throw thrown;
      await pause(waitMs, call.signal);
      if (call.ending.reason) throw thrown;
      running.event("retry", { reason: reasonOf(thrown), attempt: tries + 1 });
      return attempt(guarded, state, tries + 1);
    }
  };

  return {
    async run(guarded) {
      const { callee, call } = guarded;
      const state = stateOf(callee);
      if (state.underWay >= mostUnderWay) {
        const detail = `${callee}: ${mostUnderWay} calls to it are under way already`;
        throw new HostError("ERR_OVERLOAD", detail, { headers: retrySoon });
      }
      state.underWay++;
      const called = wake?.calling(callee, call);
      try {
        const result = await attempt(guarded, state);
        called?.heard();
        return result;
      } catch (thrown) {
        if (guarded.isAnswer?.(thrown)) called?.heard();
        throw thrown;
      } finally {
        state.underWay--;
      }
    },
  };
}

/** A call without an answer, as its connection was lost. */
export interface Loss {
  /** There was no connection at all: nothing can have been processed. */
  readonly isUnsent: boolean;
  /** The connection had been idle: most likely the callee closed it just as we took it. */
  readonly wasIdle: boolean;
  /** Its effects have a key: to have processed it twice is to have done so once. */
  readonly isKeyed: boolean;
}

/** What may have been processed, without a key, is tried again for an idle connection alone, and once. */
export function retryAfterLoss({ isUnsent, wasIdle, isKeyed }: Loss, tries: number): Retry {
  if (isUnsent) return { retry: "after a wait", costs: false };
  if (tries === 0 && (isKeyed || wasIdle)) return { retry: "at once", costs: true };
  return isKeyed ? { retry: "after a wait", costs: true } : noRetry;
}

/** RFC 9110, 10.2.3, in seconds. */
export const retrySoon = { "retry-after": "1" };
