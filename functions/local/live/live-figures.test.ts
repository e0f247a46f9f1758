import assert from "node:assert/strict";
import { test } from "node:test";
import type { Graph } from "#host/kinds/graph";
import graph from "../../gateway/graph.json" with { type: "json" };
import type { Span } from "../otlp.ts";
import { createLiveFigures } from "./live-figures.ts";
import { edgeOf } from "./span-edge.ts";
import { createSpanRing } from "./span-ring.ts";
import { traceOf, tracesOf } from "./traces.ts";

function spanOf(parts: Partial<Span>): Span {
  return {
    traceId: "t1",
    spanId: "s1",
    parentSpanId: null,
    service: "service-a",
    name: "a name",
    kind: "client",
    startMs: 1_700_000_000_000,
    durationMs: 10,
    attributes: {},
    error: null,
    events: [],
    links: [],
    ...parts,
  };
}

const http = { "http.request.method": "GET" };
const grpc = { "rpc.system.name": "grpc" };
const toC = { "server.service.name": "service-c" };
const queue = { "messaging.system.name": "rabbitmq", "messaging.destination.name": "service-d" };
const save = {
  "db.system.name": "mongodb",
  "db.namespace": "service-c",
  "db.collection.name": "greetings",
};

for (const [what, parts, edge] of [
  ["an HTTP call", { attributes: { ...toC, ...http } }, "service-a -http-> service-c"],
  ["a gRPC call", { attributes: { ...toC, ...grpc } }, "service-a -grpc-> service-c"],
  [
    "an event over HTTP",
    { attributes: { ...toC, ...http, "cloudevents.event_id": "e1" } },
    "service-a -cloudevents-> service-c",
  ],
  ["a save", { attributes: save }, "service-a -mongodb-> mongodb:service-c.greetings"],
  [
    "a publication",
    { kind: "producer", attributes: queue },
    "service-a -amqp-> rabbitmq:service-d",
  ],
  [
    "a message's processing",
    { kind: "consumer", attributes: queue },
    "rabbitmq:service-d -amqp-> service-a",
  ],
  ["an answer", { kind: "server", attributes: { ...toC, ...http } }, undefined],
  ["a call of an unknown function", { attributes: http }, undefined],
  ["work of its own", { kind: "internal", attributes: toC }, undefined],
] as const) {
  test(`${what} is ${edge ? `the edge ${edge}` : "no edge"}`, () => {
    const found = edgeOf(spanOf(parts));
    assert.equal(found && `${found.from} -${found.protocol}-> ${found.to}`, edge);
  });
}

function figures() {
  let now = 1_700_000_000_000;
  const ring = createSpanRing({ now: () => now });
  const live = createLiveFigures(graph as Graph);
  return {
    see: (parts: Partial<Span>) => live.see(ring.add([spanOf(parts)])),
    later: (ms: number) => {
      now += ms;
    },
    edges: () => live.edges(now),
    edge: (from: string, to: string) =>
      live.edges(now).find((one) => one.from === from && one.to === to),
    node: (name: string) => live.nodes(now).find((one) => one.name === name),
  };
}

test("an edge by another protocol than the declared one is another edge, and not declared", () => {
  const { see, edges } = figures();
  see({ attributes: { ...toC, ...grpc } });
  see({ attributes: { ...toC, ...http } });
  assert.partialDeepStrictEqual(
    edges().filter(({ from, to }) => from === "service-a" && to === "service-c"),
    [
      { protocol: "http", declared: true, figures: { requests: 1 } },
      { protocol: "grpc", declared: false, figures: { requests: 1 } },
    ],
  );
});

test("an edge that is not declared is shown as such, but for the gateway's triggers, and is forgotten in time", () => {
  const { see, edge, node, later } = figures();
  see({ service: "service-h", attributes: { ...toC, ...http } });
  see({ service: "stranger", attributes: { ...toC, ...http } });
  see({ service: "gateway", attributes: { ...toC, ...http } });
  assert.equal(edge("service-h", "service-c")?.declared, false);
  assert.equal(edge("gateway", "service-c")?.declared, true);
  assert.equal(node("stranger")?.kind, "function");
  later(6 * 60_000);
  assert.equal(edge("service-h", "service-c"), undefined);
  assert.equal(node("stranger"), undefined);
  assert.ok(edge("service-a", "service-c"));
});

test("a function counts what it serves, a collection what is saved, a queue what is published", () => {
  const { see, node } = figures();
  see({ service: "service-c", kind: "server", error: "away" });
  see({ service: "service-c", attributes: save });
  see({ service: "service-d", kind: "producer", attributes: queue });
  see({ service: "bridge", kind: "consumer", attributes: queue });
  assert.partialDeepStrictEqual(node("service-c")?.figures, { requests: 1, errorShare: 1 });
  assert.equal(node("mongodb:service-c.greetings")?.figures.requests, 1);
  assert.equal(node("rabbitmq:service-d")?.figures.requests, 1);
  assert.equal(node("bridge")?.figures.requests, 1);
});

test("a call that was given up is no failure of its callee", () => {
  const { see, edge } = figures();
  const attributes = { ...toC, ...http };
  const cancelled = { ...attributes, "error.type": "ERR_CANCELLED" };
  see({ attributes: cancelled, error: "cancelled, a sibling failed" });
  assert.equal(edge("service-a", "service-c")?.figures.errorShare, 0);
  see({ attributes: { ...attributes, "error.type": "ERR_CALLEE" }, error: "away" });
  assert.equal(edge("service-a", "service-c")?.figures.errorShare, 0.5);
});

test("names from outside do not grow without end", () => {
  const { see, node, edge } = figures();
  for (let i = 0; i < 1_000; i++) {
    see({ service: `stranger-${i}`, attributes: { ...toC, ...http } });
    see({ service: `stranger-${i}`, kind: "server" });
  }
  assert.equal(node("stranger-999"), undefined);
  assert.equal(edge("stranger-999", "service-c"), undefined);
  assert.ok(node("stranger-1"));
});

test("the ring keeps the last spans, and no trace without any", () => {
  let now = 0;
  const ring = createSpanRing({ most: 3, longestMs: 1_000, now: () => now });
  for (const traceId of ["a", "a", "b", "b"]) ring.add([spanOf({ traceId })]);
  assert.equal(ring.size, 3);
  assert.equal(ring.trace("a").length, 1);
  now = 500;
  ring.add([spanOf({ traceId: "c" })]);
  assert.deepEqual(ring.trace("a"), []);
  assert.deepEqual(
    ring.traces().map((trace) => trace.map(({ span }) => span.traceId)),
    [["b", "b"], ["c"]],
  );
  now = 1_400;
  assert.equal(ring.size, 1);
  now = 2_000;
  assert.equal(ring.size, 0);
  assert.deepEqual(ring.traces(), []);
});

test("a trace's spans are listed in the order in which they began, callers first", () => {
  const ring = createSpanRing();
  const begin = 1_700_000_000_000;
  ring.add([
    spanOf({ spanId: "c", parentSpanId: "b", startMs: begin + 5, durationMs: 2, error: "away" }),
    spanOf({ spanId: "b", parentSpanId: "a", startMs: begin, durationMs: 9 }),
    spanOf({
      spanId: "a",
      name: "GET /api/greeting",
      startMs: begin,
      durationMs: 10,
      events: [{ name: "x", atMs: begin + 3, attributes: {} }],
    }),
    // The consumer comes a second later, and is a part of it all the same.
    spanOf({ spanId: "d", parentSpanId: "b", startMs: begin + 1_000, durationMs: 4 }),
  ]);
  const trace = traceOf(ring, "t1");
  assert.partialDeepStrictEqual(trace, {
    name: "GET /api/greeting",
    startedAt: new Date(begin).toISOString(),
    durationMs: 1_004,
    spans: 4,
    failed: true,
  });
  assert.deepEqual(
    trace?.timeline.map(({ spanId, offsetMs }) => [spanId, offsetMs]),
    [
      ["a", 0],
      ["b", 0],
      ["c", 5],
      ["d", 1_000],
    ],
  );
  assert.deepEqual(trace?.timeline[0]?.events, [{ name: "x", offsetMs: 3 }]);
});

test("requests are listed newest first, as many as are asked for", () => {
  const ring = createSpanRing();
  for (let i = 0; i < 5; i++) {
    ring.add([spanOf({ traceId: `t${i}`, startMs: 1_700_000_000_000 + i })]);
  }
  const ids = tracesOf(ring, { node: "service-a", limit: 2 }).map(({ traceId }) => traceId);
  assert.deepEqual(ids, ["t4", "t3"]);
  assert.deepEqual(tracesOf(ring, { node: "service-b", limit: 2 }), []);
});
