import { type Figures, noFigures } from "../../ui/live.ts";

/** The figures' window: short enough to see a change at once, long enough for a percentile. */
export const windowSeconds = 10;

interface Second {
  at: number;
  requests: number;
  failed: number;
  /** By duration: a bucket's values differ by 5 % at most, which a percentile is then exact to. */
  readonly buckets: Uint32Array;
}

const growth = 1.05;
const shortestMs = 0.01;
const bucketCount = 340;

/** Counts operations by the second, and forgets them after the window; its size does not grow with their number. */
export class Meter {
  readonly #seconds: Second[] = [];
  #lastAt = 0;

  /** When it was last added to: ms since the epoch. */
  get lastAt(): number {
    return this.#lastAt;
  }

  add(durationMs: number, failed: boolean, now: number): void {
    const second = this.#secondAt(Math.floor(now / 1_000));
    second.requests += 1;
    if (failed) second.failed += 1;
    const bucket = Math.floor(Math.log(durationMs / shortestMs) / Math.log(growth));
    const index = Math.min(bucketCount - 1, Math.max(0, bucket));
    second.buckets[index] = (second.buckets[index] ?? 0) + 1;
    this.#lastAt = now;
  }

  figures(now: number): Figures {
    const oldest = Math.floor(now / 1_000) - windowSeconds;
    const seconds = this.#seconds.filter(({ at }) => at > oldest);
    const sum = (of: (second: Second) => number) =>
      seconds.reduce((total, second) => total + of(second), 0);
    const requests = sum((second) => second.requests);
    if (requests === 0) return noFigures;
    const buckets = Array.from({ length: bucketCount }, (_, i) => sum((s) => s.buckets[i] ?? 0));
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(buckets, requests, share));
    return {
      requests,
      requestsPerSecond: requests / windowSeconds,
      errorShare: sum((second) => second.failed) / requests,
      p50: p50 ?? null,
      p95: p95 ?? null,
      p99: p99 ?? null,
    };
  }

  #secondAt(at: number): Second {
    const last = this.#seconds.at(-1);
    if (last?.at === at) return last;
    const second = { at, requests: 0, failed: 0, buckets: new Uint32Array(bucketCount) };
    this.#seconds.push(second);
    if (this.#seconds.length > windowSeconds) this.#seconds.shift();
    return second;
  }
}

/** In ms, to two digits after the point: the middle of the bucket that holds it. */
function percentile(buckets: readonly number[], total: number, share: number): number {
  const rank = Math.max(1, Math.ceil(total * share));
  let seen = 0;
  const index = buckets.findIndex((count) => {
    seen += count;
    return seen >= rank;
  });
  return Math.round(shortestMs * growth ** (index + 0.5) * 100) / 100;
}
