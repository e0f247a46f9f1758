/** The spans that hosts tell a real receiver of. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { greeter, grpc, http } from "#host";
import { HostError } from "#host/base/errors";
import type { Outcome } from "#host/telemetry/operation";
import { createTracing, type SpanMaker } from "#host/telemetry/tracing";
import { ask } from "../../test/support/ask.ts";
import { edges } from "../../test/support/edges.ts";
import { startReceiver } from "../../test/support/receiver.ts";
import { testFunction } from "../../test/support/test-function.ts";
import { startTestHost } from "../../test/support/test-host.ts";
import { is, startPair, tracedTo } from "../../test/support/traced.ts";
import { until } from "../../test/support/until.ts";

const failing = testFunction(
  { greetings: () => Promise.reject(new HostError("ERR_STORE", "MongoDB is away")) },
  { name: "leaf" },
);

test("a call over HTTP is one trace: server, client, and the callee's server", async () => {
  await using receiver = await startReceiver();
  await using pair = await startPair(receiver, http);
  const answer = await ask(pair.port, "/api/greeting?x=1", { headers: { "user-agent": "tester" } });
  const server = await receiver.span("the root's", is("root", "server"));
  const client = await receiver.span("the call's", is("root", "client"));
  const below = await receiver.span("the leaf's", is("leaf", "server"));

  assert.equal(answer.headers.traceresponse, `00-${server.traceId}-${server.spanId}-01`);
  assert.equal(server.parentSpanId, null);
  assert.equal(client.parentSpanId, server.spanId);
  assert.equal(below.parentSpanId, client.spanId);
  assert.equal(new Set([server, client, below].map((span) => span.traceId)).size, 1);
  assert.equal(server.name, "GET /api/greeting");
  assert.deepEqual(server.attributes, {
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "http.route": "/api/greeting",
    "url.scheme": "http",
    "url.path": "/api/greeting",
    "network.protocol.version": "1.1",
    "user_agent.original": "tester",
    "faas.trigger": "http",
    "faas.coldstart": true,
  });
  assert.equal(client.name, "GET /api/greeting");
  assert.deepEqual(client.attributes, {
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "url.full": `http://127.0.0.1:${pair.calleePort}/api/greeting`,
    "server.address": "127.0.0.1",
    "server.port": pair.calleePort,
    "server.service.name": "leaf",
  });
  for (const span of [server, client, below]) assert.equal(span.error, null);
  assert.ok(server.startMs <= client.startMs && client.startMs <= below.startMs);
  assert.ok(server.durationMs >= client.durationMs && client.durationMs >= below.durationMs);
});

test("a call over gRPC is one trace: server, client, and the callee's server", async () => {
  await using receiver = await startReceiver();
  await using pair = await startPair(receiver, grpc);
  await ask(pair.port);
  const client = await receiver.span("the call's", is("root", "client"));
  const below = await receiver.span("the leaf's", is("leaf", "server"));
  assert.equal(below.parentSpanId, client.spanId);
  const method = { "rpc.system.name": "grpc", "rpc.method": "greeting.GreetingService/Greeting" };
  const ok = { "rpc.status_code": "OK" };
  assert.equal(client.name, "greeting.GreetingService/Greeting");
  assert.deepEqual(client.attributes, {
    ...method,
    ...ok,
    "server.address": "127.0.0.1",
    "server.port": pair.calleePort,
    "server.service.name": "leaf",
  });
  assert.equal(below.name, client.name);
  assert.deepEqual(below.attributes, {
    ...method,
    ...ok,
    "faas.trigger": "http",
    "faas.coldstart": true,
  });
});

for (const [edge, status] of [
  [http, { "http.response.status_code": 503 }],
  [grpc, { "rpc.status_code": "UNAVAILABLE" }],
] as const) {
  test(`a failure over ${edge.name} is an error of every span on its way, with its code and reason`, async () => {
    await using receiver = await startReceiver();
    await using pair = await startPair(receiver, edge, { callee: failing });
    assert.equal((await ask(pair.port)).status, 503);
    for (const [what, reason] of [
      [is("leaf", "server"), "MongoDB is away"],
      [is("root", "client"), "MongoDB is away"],
      [is("root", "server"), "root > MongoDB is away"],
    ] as const) {
      const span = await receiver.span(reason, what);
      assert.equal(span.error, reason);
      assert.equal(span.attributes["error.type"], "ERR_STORE");
      const [exception] = span.events;
      assert.equal(exception?.name, "exception");
      assert.deepEqual(exception?.attributes, {
        "exception.type": "ERR_STORE",
        "exception.message": reason,
      });
    }
    assert.partialDeepStrictEqual(
      (await receiver.span("", is("root", "client"))).attributes,
      status,
    );
  });
}

for (const edge of edges) {
  test(`a callee over ${edge.name} that does not answer is an error of the call`, async () => {
    await using receiver = await startReceiver();
    const env = tracedTo(receiver);
    const root = greeter({ name: "root", greeting: "hi", calls: [edge("leaf")] });
    await using host = await startTestHost(root, { env, callees: { leaf: "127.0.0.1:1" } });
    await ask(host.port);
    const client = await receiver.span("the call's", is("root", "client"));
    assert.match(client.error ?? "", /^leaf: unreachable at 127\.0\.0\.1:1 /);
    assert.equal(client.attributes["error.type"], "ERR_CALLEE");
  });
}

test("what a client did wrong is no error of the server, and has no route of its own", async () => {
  await using receiver = await startReceiver();
  await using pair = await startPair(receiver, http);
  await ask(pair.port, "/nowhere/42");
  const server = await receiver.span("the root's", is("root", "server"));
  assert.equal(server.name, "GET");
  assert.equal(server.error, null);
  assert.equal(server.attributes["http.response.status_code"], 404);
  assert.equal(server.attributes["error.type"], undefined);
});

test("only the first request of a host is a cold start, and a probe is no request", async () => {
  await using receiver = await startReceiver();
  await using pair = await startPair(receiver, http);
  for (const path of ["/readyz", "/", "/"]) await ask(pair.port, path);
  await until("both are there", () => receiver.spans.filter(is("root", "server")).length === 2);
  const starts = receiver.spans.filter(is("root", "server"));
  assert.deepEqual(
    starts.map(({ attributes }) => attributes["faas.coldstart"]),
    [true, undefined],
  );
});

test("each listener gets each operation as it ends, once, with or without spans", async () => {
  const outcomes: Outcome[] = [];
  const listeners = [(outcome: Outcome) => void outcomes.push(outcome)];
  const trace = { traceId: "a".repeat(32), spanId: "b".repeat(16), sampled: true };
  const spans: SpanMaker = {
    start: () => ({ trace, event: () => {}, end: () => {} }),
    close: async () => {},
  };
  const operation = { kind: "client", name: "find a.b", attributes: { a: 1 } } as const;
  const failure = new HostError("ERR_STORE", "away");
  await createTracing({ listeners }).run(operation, { headers: {} }, async (running) => {
    running.set({ b: 2 });
    running.end();
  });
  const traced = createTracing({ listeners, spans });
  const failing = traced.run(operation, { headers: {} }, () => Promise.reject(failure));
  await assert.rejects(failing, failure);
  assert.deepEqual(
    outcomes.map(({ durationSeconds, ...rest }) => [durationSeconds >= 0, rest]),
    [
      [
        true,
        {
          kind: "client",
          name: "find a.b",
          attributes: { a: 1, b: 2 },
          errorType: undefined,
          traceId: undefined,
          spanId: undefined,
        },
      ],
      [
        true,
        {
          kind: "client",
          name: "find a.b",
          attributes: { a: 1, "error.type": "ERR_STORE" },
          errorType: "ERR_STORE",
          traceId: trace.traceId,
          spanId: trace.spanId,
        },
      ],
    ],
  );
});
