import assert from "node:assert/strict";
import { test } from "node:test";
import { figureOf, useMetrics } from "../../test/support/metrics.ts";
import { until } from "../../test/support/until.ts";

test("figures of the process are there, each with its unit", async () => {
  using metrics = useMetrics();
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok((await figureOf(metrics, "process_memory_usage_bytes")) > 10_000_000);
  assert.ok((await figureOf(metrics, "v8js_memory_heap_used_bytes")) > 1_000_000);
  assert.ok((await figureOf(metrics, "process_cpu_time_seconds_total")) > 0);
  const ratio = await figureOf(metrics, "nodejs_eventloop_utilization_ratio");
  assert.ok(ratio >= 0 && ratio <= 1, `${ratio}`);
});

test("an event loop that is held up shows it, until the next scrape", async () => {
  using metrics = useMetrics();
  const longest = () => figureOf(metrics, "nodejs_eventloop_delay_max_seconds");
  const tick = () => new Promise((resolve) => setTimeout(resolve, 120));
  await until(
    "a delay shorter than the time between two looks, which is no part of it",
    async () => {
      await tick();
      return (await longest()) < 0.1;
    },
  );
  const end = performance.now() + 400;
  while (performance.now() < end);
  await tick();
  const held = await longest();
  assert.ok(held >= 0.25, `${held}`);
  await until("a calmer time", async () => (await longest()) < held);
});
