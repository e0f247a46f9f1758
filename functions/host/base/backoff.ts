import { setTimeout as wait } from "node:timers/promises";

/** Waits between tries, in milliseconds: they double from the first up to the longest. */
export interface BackoffOptions {
  firstMs: number;
  longestMs: number;
}

/**
 * How long to wait after try number `attempt` (from 1): a random time between half of the step and
 * the whole, so that clients which failed together do not come back together.
 */
export function backoff(attempt: number, { firstMs, longestMs }: BackoffOptions): number {
  const step = Math.min(longestMs, firstMs * 2 ** (attempt - 1));
  return Math.round(step / 2 + (Math.random() * step) / 2);
}

/** Waits, or returns early when the signal aborts; never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => {});
}
