import { createMetrics, type Metrics } from "#host/telemetry/metrics";
import type { Outcome } from "#host/telemetry/operation";

/** The metrics of a function, until the block ends. */
export function useMetrics(name = "service-a"): Metrics & Disposable {
  const metrics = createMetrics(name);
  return { ...metrics, [Symbol.dispose]: metrics.close };
}

/** The lines of one metric, or of several whose names begin like that, without comments. */
export async function linesOf(metrics: Metrics, metric: string): Promise<string[]> {
  const { body } = await metrics.answer(undefined);
  return String(body)
    .split("\n")
    .filter((line) => line.startsWith(metric));
}

const base = { name: "any", errorType: undefined, traceId: undefined, spanId: undefined };
/** An operation that took 30 ms and succeeded, unless more is said of it. */
export const outcome = (
  kind: Outcome["kind"],
  attributes: Outcome["attributes"],
  more: Partial<Outcome> = {},
): Outcome => ({ ...base, kind, attributes, durationSeconds: 0.03, ...more });

/** The value of a metric that has one series only. */
export async function figureOf(metrics: Metrics, metric: string): Promise<number> {
  const [line = ""] = await linesOf(metrics, metric);
  return Number(line.split(" ").at(-1));
}
