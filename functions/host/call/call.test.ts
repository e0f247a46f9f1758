import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "#host/base/errors";
import { forkCall, formatTimeout, parseTimeout, timeForCallee } from "#host/call/call";
import { testCall } from "../../test/support/test-call.ts";

const cancelled = new HostError("ERR_CANCELLED", "the client left");

for (const [text, ms] of [
  ["1H", 3_600_000],
  ["2M", 120_000],
  ["3S", 3_000],
  ["4500m", 4_500],
  ["5000u", 5],
  ["7000000n", 7],
  ["99999999m", 99_999_999],
  ["0m", 0],
  ["123456789m", undefined],
  ["5", undefined],
  ["m", undefined],
  ["-5m", undefined],
  ["5.5S", undefined],
  ["5s", undefined],
  ["5m ", undefined],
  ["", undefined],
  [undefined, undefined],
] as const) {
  test(`the timeout ${text} is ${ms === undefined ? "refused" : `${ms} ms`}`, () => {
    assert.equal(parseTimeout(text), ms);
  });
}

for (const [ms, text] of [
  [4_500, "4500m"],
  [4_500.9, "4500m"],
  [0.2, "1m"],
  [-3, "1m"],
  [1e12, "99999999m"],
] as const) {
  test(`${ms} ms is written as the timeout ${text}`, () => {
    assert.equal(formatTimeout(ms), text);
  });
}

test("a callee gets less time than its caller has, and never none", () => {
  using long = testCall({ timeoutMs: 5_000 });
  const left = long.deadline - Date.now();
  assert.ok(timeForCallee(long) < left);
  assert.ok(timeForCallee(long) > left - 1_000);
  using short = testCall({ timeoutMs: 5 });
  assert.equal(timeForCallee(short), 1);
});

test("a call that is over has no time for a callee", () => {
  using call = testCall();
  call.abort(cancelled);
  assert.throws(() => timeForCallee(call), cancelled);
});

test("a call aborts at its deadline, and says how long that was", async () => {
  using call = testCall({ timeoutMs: 10 });
  await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
  assert.equal(call.signal.reason.code, "ERR_DEADLINE");
  assert.match(call.signal.reason.message, /within 10 ms/);
});

test("a fork aborts with its call, and leaves the call alone when it aborts itself", () => {
  using call = testCall();
  const one = forkCall(call);
  const other = forkCall(call);
  one.abort();
  assert.equal(one.call.signal.reason.code, "ERR_CANCELLED");
  assert.equal(call.signal.aborted, false);
  assert.equal(other.call.signal.aborted, false);
  call.abort(cancelled);
  assert.equal(other.call.signal.reason, cancelled);
});
