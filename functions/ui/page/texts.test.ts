import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deliveriesOf, noFigures } from "../live.ts";
import { pathOf, traceIdOf } from "./ask.ts";
import { describeFault, faultHeader } from "./fault-header.ts";
import {
  dayAndTime,
  deadLettersText,
  kindName,
  milliseconds,
  nodeName,
  rate,
  share,
  shortName,
} from "./format.ts";
import { captionOf } from "./graph-elements.ts";

describe("texts of the page", () => {
  test("split a problem's detail into its hops and its reason", () => {
    assert.deepEqual(pathOf("service-a > service-b: unreachable at 127.0.0.1:8088 (refused)"), {
      hops: ["service-a", "service-b"],
      reason: "unreachable at 127.0.0.1:8088 (refused)",
    });
    assert.deepEqual(pathOf("no such path"), { hops: [], reason: "no such path" });
  });

  test("take the trace id of traceresponse, and of nothing else", () => {
    const id = "0af7651916cd43dd8448eb211c80319c";
    assert.equal(traceIdOf(new Headers({ traceresponse: `00-${id}-b7ad6b7169203331-01` })), id);
    assert.equal(traceIdOf(new Headers({ traceresponse: "<script>" })), undefined);
    assert.equal(traceIdOf(new Headers()), undefined);
  });

  test("write x-fault as the functions read it", () => {
    const fails = { target: "service-g", action: "503", percent: 50 };
    const waits = { target: "service-c", action: "delay:800ms", percent: 100 };
    assert.equal(faultHeader([], 7), undefined);
    assert.equal(
      faultHeader([fails, waits], 7),
      "service-g=503@50%, service-c=delay:800ms, seed=7",
    );
    assert.equal(faultHeader([waits], undefined), "service-c=delay:800ms");
    assert.equal(describeFault(fails), "service-g fails with 503, in 50% of requests");
    assert.equal(describeFault(waits), "service-c waits 800ms");
  });

  test("round figures as a person reads them", () => {
    assert.deepEqual([0, 0.4, 12.3].map(rate), ["0/s", "0.4/s", "12/s"]);
    assert.deepEqual([null, 0, 0.84, 12.3, 1_234].map(milliseconds), [
      "–",
      "0 ms",
      "0.8 ms",
      "12 ms",
      "1.23 s",
    ]);
    assert.deepEqual([0, 0.025, 0.5].map(share), ["0%", "2.5%", "50%"]);
  });

  test("name a revision, and its part of the requests, where a function has several", () => {
    const only = { name: "service-c", kind: "greeter", state: "ready" } as const;
    const node = { ...only, figures: { ...noFigures, requests: 9, requestsPerSecond: 9 } };
    assert.deepEqual(
      [nodeName(node), kindName(node), captionOf(node)],
      ["service-c", "Function", "9.0/s"],
    );
    const several = { ...node, revision: { of: "service-c", name: "v1", share: 0.9 } };
    assert.deepEqual(
      [nodeName(several), kindName(several), captionOf(several)],
      ["service-c v1", "Function, 90% of the requests", "90%, 9.0/s"],
    );
    const idle = { ...several, revision: { ...several.revision, share: null } };
    assert.deepEqual([kindName(idle), captionOf(idle)], ["Function", "9.0/s"]);
  });

  test("say that a function was woken beside its rate, and behind what is wrong with it", () => {
    const node = { name: "service-g", kind: "greeter", figures: noFigures, woken: true } as const;
    assert.equal(captionOf({ ...node, state: "ready" }), "0/s, woken");
    assert.equal(captionOf({ ...node, state: "stopped" }), "stopped");
  });

  test("count a queue's dead letters before the messages that wait, and their deliveries", () => {
    const node = { name: "rabbitmq:service-d", kind: "queue", state: "ready" } as const;
    const queue = { ...node, figures: noFigures, depth: 4, deadLetters: 3 };
    assert.deepEqual([captionOf(queue), deadLettersText(queue)], ["3 dead", "dead letters: 3"]);
    for (const deadLetters of [0, null]) {
      const without = { ...queue, deadLetters };
      assert.deepEqual([captionOf(without), deadLettersText(without)], ["4 waiting", ""]);
    }
    const letter = { queue: "q", id: "1", type: null, source: null, reason: "", time: null };
    const tried = { ...letter, traceId: null, bytes: 0, attempts: 1, retries: 0 };
    assert.deepEqual(
      [tried, { ...tried, attempts: 4, retries: 2 }, { ...tried, attempts: null }].map(
        deliveriesOf,
      ),
      ["1 delivery", "4 deliveries, 2 retries", ""],
    );
  });

  test("give the day with the time, and leave alone what is no time", () => {
    assert.equal(dayAndTime("2026-01-05T04:03:02.3"), "2026-01-05 04:03:02.3");
    assert.equal(dayAndTime("yesterday"), "yesterday");
  });

  test("name queues and collections as people do", () => {
    assert.equal(shortName("rabbitmq:service-d"), "queue service-d");
    assert.equal(shortName("mongodb:service-c.greetings"), "service-c.greetings");
    assert.equal(shortName("service-c"), "service-c");
  });
});
