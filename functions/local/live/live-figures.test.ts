import assert from "node:assert/strict";
import { test } from "node:test";
import type { Graph } from "#host/kinds/graph";
import graph from "../../gateway/graph.json" with { type: "json" };
import { encodeSpans, type SentSpan } from "../../test/support/otlp.ts";
import { createLiveFigures } from "./live-figures.ts";
import { createSpanReader } from "./seen-spans.ts";
import { createSpanRing, type SeenSpan } from "./span-ring.ts";
import { traceOf, tracesOf } from "./traces.ts";

const begin = 1_700_000_000_000;
const seenSpans = createSpanReader();

interface Parts extends Partial<SentSpan> {
  startMs?: number;
}

function encoded({ startMs = begin, ...parts }: Parts): Uint8Array {
  const span: SentSpan = {
    traceId: "01",
    spanId: "01",
    service: "service-a",
    kind: "client",
    name: "a name",
    ms: 10,
    ...parts,
  };
  return encodeSpans([span], startMs + span.ms);
}

function seen(parts: Parts): SeenSpan {
  const [span] = seenSpans(encoded(parts));
  assert.ok(span);
  return span;
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
    const found = seen(parts).edge;
    assert.equal(found && `${found.from} -${found.protocol}-> ${found.to}`, edge);
  });
}

function figures() {
  let now = begin;
  const ring = createSpanRing({ now: () => now });
  const live = createLiveFigures(graph as Graph);
  return {
    see: (parts: Parts) => live.see(ring.add(1, [seen(parts)])),
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

test("a function that was woken is shown so for a while, and its wake is no edge", () => {
  const { see, node, edges, later } = figures();
  const before = edges().length;
  for (const name of ["service-g", "unknown"]) {
    see({ kind: "internal", attributes: { "faas.invoked_name": name } });
  }
  see({ attributes: { "faas.invoked_name": "service-h" } });
  assert.equal(node("service-g")?.woken, true);
  assert.equal(node("service-h")?.woken, undefined);
  assert.equal(node("unknown"), undefined);
  assert.equal(edges().length, before);
  later(11_000);
  assert.equal(node("service-g")?.woken, undefined);
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

test("the ring keeps the last bytes, and no trace without any", () => {
  let now = 0;
  const ring = createSpanRing({ mostBytes: 300, longestMs: 1_000, now: () => now });
  const add = (traceId: string) => ring.add(100, [seen({ traceId })]);
  for (const traceId of ["0a", "0a", "0b", "0b"]) add(traceId);
  assert.equal(ring.bytes, 300);
  assert.equal(ring.trace("0a").length, 1);
  now = 500;
  add("0c");
  assert.deepEqual(ring.trace("0a"), []);
  assert.deepEqual(
    ring.traces().map((trace) => trace.map(({ traceId }) => traceId)),
    [["0b", "0b"], ["0c"]],
  );
  now = 1_400;
  assert.equal(ring.bytes, 100);
  now = 2_000;
  assert.equal(ring.bytes, 0);
  assert.deepEqual(ring.traces(), []);
});

test("a trace's spans are listed in the order in which they began, callers first", () => {
  const ring = createSpanRing();
  ring.add(1, [
    seen({ spanId: "0c", parentSpanId: "0b", startMs: begin + 5, ms: 2, error: "away" }),
    seen({ spanId: "0b", parentSpanId: "0a", ms: 9 }),
    seen({ spanId: "0a", name: "GET /api/greeting", events: { x: begin + 3 } }),
    // The consumer comes a second later, and is a part of it all the same.
    seen({ spanId: "0d", parentSpanId: "0b", startMs: begin + 1_000, ms: 4 }),
  ]);
  const trace = traceOf(ring, "01");
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
      ["0a", 0],
      ["0b", 0],
      ["0c", 5],
      ["0d", 1_000],
    ],
  );
  assert.deepEqual(trace?.timeline[0]?.events, [{ name: "x", offsetMs: 3 }]);
});

test("requests are listed newest first, as many as are asked for", () => {
  const ring = createSpanRing();
  for (let i = 0; i < 5; i++) {
    ring.add(1, [seen({ traceId: `0${i}`, startMs: begin + i })]);
  }
  const ids = tracesOf(ring, { node: "service-a", limit: 2 }).map(({ traceId }) => traceId);
  assert.deepEqual(ids, ["04", "03"]);
  assert.deepEqual(tracesOf(ring, { node: "service-b", limit: 2 }), []);
});
