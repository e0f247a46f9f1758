import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "#host/base/errors";
import { Ending } from "#host/call/ending";

const cancelled = new HostError("ERR_CANCELLED", "the client left");
const later = new HostError("ERR_DEADLINE", "too late");

test("the first reason to end counts, for the signal too, whenever it is made", () => {
  const early = new Ending();
  const { signal } = early;
  const late = new Ending();
  for (const ending of [early, late]) {
    assert.equal(ending.reason, undefined);
    ending.abort(cancelled);
    ending.abort(later);
    assert.equal(ending.reason, cancelled);
    assert.equal(ending.signal.reason, cancelled);
  }
  assert.equal(signal, early.signal);
  assert.equal(signal.aborted, true);
});

test("a listener is called once, also by an ending that is over, and not when it was taken away", () => {
  const ending = new Ending();
  const heard: string[] = [];
  ending.onAbort(({ code }) => heard.push(`before ${code}`));
  const off = ending.onAbort(() => heard.push("taken away"));
  off();
  ending.abort(cancelled);
  ending.abort(later);
  ending.onAbort(({ code }) => heard.push(`after ${code}`));
  assert.deepEqual(heard, ["before ERR_CANCELLED", "after ERR_CANCELLED"]);
});

test("limited work gives its outcome", async () => {
  const ending = new Ending();
  assert.equal(await ending.limit(Promise.resolve("done")), "done");
  await assert.rejects(ending.limit(Promise.reject(new Error("failed"))), /failed/);
});

test("limited work gives the reason as soon as it has to end", async () => {
  const ending = new Ending();
  const waiting = ending.limit(new Promise(() => {}));
  ending.abort(cancelled);
  await assert.rejects(waiting, cancelled);
});

test("work that ends by itself within its grace says more than the reason", async () => {
  const ending = new Ending();
  const { promise, reject } = Promise.withResolvers<void>();
  const slow = ending.limit(new Promise(() => {}), 20);
  const limited = ending.limit(promise, 60_000);
  ending.abort(cancelled);
  reject(new Error("it waited for B"));
  await assert.rejects(limited, /it waited for B/);
  await assert.rejects(slow, cancelled);
});

test("work that fails after it had to end fails nothing else", async () => {
  const ending = new Ending();
  ending.abort(cancelled);
  const { promise, reject } = Promise.withResolvers<void>();
  await assert.rejects(ending.limit(promise), cancelled);
  // Were it left alone, node:test would fail this test for the unhandled rejection.
  reject(new Error("too late"));
  await new Promise((resolve) => setImmediate(resolve));
});
