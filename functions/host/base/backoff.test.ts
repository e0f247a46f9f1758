import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff, pause } from "#host/base/backoff";

const waits = { firstMs: 100, longestMs: 1_000 };

for (const [attempt, step] of [
  [1, 100],
  [2, 200],
  [4, 800],
  [5, 1_000],
  [60, 1_000],
  [5_000, 1_000],
] as const) {
  test(`after try ${attempt} the wait is between ${step / 2} and ${step} ms, and varies`, () => {
    const found = Array.from({ length: 200 }, () => backoff(attempt, waits));
    assert.ok(Math.min(...found) >= step / 2);
    assert.ok(Math.max(...found) <= step);
    assert.ok(new Set(found).size > 1);
  });
}

test("a pause ends early when it is aborted, also before it began", async () => {
  const abort = new AbortController();
  const paused = pause(2 ** 31 - 1, abort.signal);
  abort.abort();
  await paused;
  await pause(2 ** 31 - 1, abort.signal);
});
