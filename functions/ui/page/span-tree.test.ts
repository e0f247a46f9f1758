import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TraceSpan } from "../live.ts";
import { protocolOf, spanRows } from "./span-tree.ts";

function span(
  spanId: string,
  parentSpanId: string | null,
  more: Partial<TraceSpan> = {},
): TraceSpan {
  return {
    spanId,
    parentSpanId,
    service: "service-d",
    name: spanId,
    kind: "server",
    offsetMs: 0,
    durationMs: 1,
    error: null,
    attributes: {},
    events: [],
    links: [],
    ...more,
  };
}

const order = (timeline: TraceSpan[]) =>
  spanRows({ timeline }).map(({ span: { spanId }, depth }) => `${depth}${spanId}`);

describe("the rows of a waterfall", () => {
  test("stand below their parents, siblings in the order of their begin", () => {
    const rows = order([
      span("a", null),
      span("c", "a", { offsetMs: 5 }),
      span("b", "a", { offsetMs: 2 }),
      span("d", "b", { offsetMs: 9 }),
    ]);
    assert.deepEqual(rows, ["0a", "1b", "2d", "1c"]);
  });

  test("begin anew where a span's parent is missing", () => {
    assert.deepEqual(order([span("a", null), span("b", "gone", { offsetMs: 1 })]), ["0a", "0b"]);
  });

  test("end where spans name each other as their parents", () => {
    assert.deepEqual(order([span("a", null), span("b", "c"), span("c", "b")]), ["0a"]);
  });

  test("say how long a message waited in the queue", () => {
    const [, bridge] = spanRows({
      timeline: [
        span("a", null, { kind: "producer", offsetMs: 3, durationMs: 2 }),
        span("b", "a", { kind: "consumer", offsetMs: 12 }),
      ],
    });
    assert.equal(bridge?.fromQueue, true);
    assert.equal(bridge?.queuedMs, 7);
  });

  test("know a protocol by the semantic conventions, CloudEvents before the HTTP that carries them", () => {
    const of = (attributes: TraceSpan["attributes"]) => protocolOf(span("a", null, { attributes }));
    assert.equal(of({ "http.request.method": "POST", "cloudevents.event_id": "1" }), "cloudevents");
    assert.equal(of({ "http.request.method": "GET" }), "http");
    assert.equal(of({ "rpc.system.name": "grpc" }), "grpc");
    assert.equal(of({ "messaging.system.name": "rabbitmq" }), "amqp");
    assert.equal(of({ "db.system.name": "mongodb" }), "mongodb");
    assert.equal(of({}), undefined);
  });
});
