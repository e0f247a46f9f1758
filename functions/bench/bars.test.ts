import assert from "node:assert/strict";
import { test } from "node:test";
import { barLines, barsOf } from "./bars.ts";
import { chartOf } from "./chart.ts";
import type { Measured, Point } from "./measure.ts";
import type { MissionResult } from "./run.ts";

const same = (value: number) => ({ median: value, min: value, max: value });

function point(perSecond: number, cpuMs: number, wrong = 0): Point {
  const latency = { p50Ms: same(1), p99Ms: same(100 / perSecond), clientCpu: same(0.1) };
  return { perSecond: same(perSecond), cpuMs: same(cpuMs), ...latency, wrong };
}

function contender(name: string, points: Record<string, Point>): Measured {
  return { name, points, memory: { idleMib: { a: 60 }, loadedMib: { a: 100 } } };
}

function mission(ours: Point): MissionResult {
  const points = { "1": ours, "25": ours, "50": ours, "100": ours };
  const slow = { "1": point(10, 10), "25": point(10, 10), "50": point(10, 10) };
  return {
    ...{ database: "null", rounds: 1, seconds: 1, requests: 1, sizes: [] },
    contenders: [contender("ours", points), contender("plain", slow), contender("floor", slow)],
  };
}

test("every bar of the mission holds for what is fast and small enough", () => {
  const bars = barsOf({ mission: mission(point(25, 4)) });
  assert.equal(bars.length, 11);
  assert.deepEqual(
    bars.filter(({ holds }) => !holds),
    [],
  );
});

test("a bar does not hold for what is slower, and is shown so", () => {
  const bars = barsOf({ mission: mission(point(24, 4)) });
  const [first] = bars.filter(({ holds }) => !holds);
  assert.deepEqual(first, {
    what: "requests/s at 25, of plain's",
    ...{ figure: 2.4, limit: 2.5, at: "least", holds: false },
  });
  assert.match(
    barLines(bars).join("\n"),
    /at 25, of plain's +2\.40 +at least 2\.50 +DOES NOT HOLD/,
  );
});

test("memory of npm start counts the pages once that its processes share", () => {
  const whole = { requests: 1, residentMib: 2_000, proportionalMib: 1_300, processes: [] };
  const [bar] = barsOf({ whole });
  assert.deepEqual([bar?.figure, bar?.holds], [1_300, true]);
});

test("wrong answers hold no bar, however fast they are", () => {
  const bars = barsOf({ mission: mission(point(1_000, 0.1, 1)) });
  assert.deepEqual(
    bars.filter(({ what, holds }) => holds && !what.includes("memory")),
    [],
  );
});

test("the picture has a bar for each right point, and none for a wrong one", () => {
  const bars = (ours: Point) => chartOf(mission(ours)).match(/<rect/g)?.length;
  // Three legends; three panels of four, three and three points.
  assert.equal(bars(point(25, 4)), 3 + 3 * 10);
  assert.equal(bars(point(25, 4, 1)), 3 + 3 * 6);
});
