import assert from "node:assert/strict";
import { test } from "node:test";
import { noFigures } from "../../ui/live.ts";
import { Meter, windowSeconds } from "./meter.ts";

const now = 1_700_000_000_000;

test("nothing seen gives no figures", () => {
  assert.deepEqual(new Meter().figures(now), noFigures);
});

test("percentiles are exact to 3 %, from hundredths of a millisecond to a minute", () => {
  for (const scale of [0.02, 1, 100]) {
    const meter = new Meter();
    for (let i = 1; i <= 1_000; i++) meter.add(i * scale, false, now);
    const { p50, p95, p99 } = meter.figures(now);
    const pairs = [
      [p50, 500 * scale],
      [p95, 950 * scale],
      [p99, 990 * scale],
    ] as const;
    for (const [found, expected] of pairs) {
      assert.ok(found !== null && Math.abs(found / expected - 1) < 0.03, `${found} ${expected}`);
    }
  }
});

test("requests, rate and share of errors are those of the window", () => {
  const meter = new Meter();
  for (let i = 0; i < 30; i++) meter.add(5, i % 3 === 0, now + i * 100);
  const { requests, requestsPerSecond, errorShare } = meter.figures(now + 3_000);
  assert.deepEqual([requests, requestsPerSecond, errorShare], [30, 30 / windowSeconds, 1 / 3]);
});

test("what is older than the window is forgotten, second by second", () => {
  const meter = new Meter();
  meter.add(1, true, now);
  meter.add(1, false, now + 5_000);
  const later = now + windowSeconds * 1_000;
  assert.equal(meter.figures(later - 1).requests, 2);
  assert.equal(meter.figures(later).requests, 1);
  assert.equal(meter.figures(later).errorShare, 0);
  assert.deepEqual(meter.figures(later + 5_000), noFigures);
});

test("durations beyond its range count as its shortest and its longest", () => {
  const meter = new Meter();
  meter.add(0, false, now);
  assert.ok((meter.figures(now).p50 ?? 1) < 0.02);
  for (let i = 0; i < 10; i++) meter.add(1e9, false, now);
  assert.ok((meter.figures(now).p50 ?? 0) > 60_000);
});
