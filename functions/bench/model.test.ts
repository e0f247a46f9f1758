import assert from "node:assert/strict";
import { test } from "node:test";
import { useEmptied } from "../test/support/services.ts";
import { modelLines, runModel } from "./model.ts";

test("the graph is measured at 1 and 25 clients too, and each point stands beside its prediction", {
  skip: process.platform !== "linux" && "CPU and memory are read from /proc",
}, async () => {
  const little = { rounds: 1, seconds: 0.3, requests: 20, concurrencies: [2] };
  const result = await runModel(
    { ...little, database: "null" },
    { report() {}, env: await useEmptied() },
  );
  assert.deepEqual(
    result.points.map(({ concurrency }) => concurrency),
    [1, 2, 25],
  );
  for (const { predicted, measured, cores } of result.points) {
    assert.ok(cores > 0);
    for (const one of [predicted, measured]) {
      assert.ok(one.perSecond > 0 && one.meanMs > 0 && one.cpuMs > 0);
    }
  }
  // What it was calibrated with.
  const { predicted, measured } = result.points[2] ?? assert.fail();
  assert.ok(Math.abs(predicted.perSecond / measured.perSecond - 1) < 0.1);
  const lines = modelLines(result).join("\n");
  assert.match(lines, /^2( +[\d.]+){10}$/m);
  assert.match(lines, /^cpu\.service-a +[\d.]+$/m);
});
