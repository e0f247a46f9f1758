/** What the log says of each request, over both protocols. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { greeter, grpc, http } from "#host";
import { HostError } from "#host/base/errors";
import { ask } from "../../test/support/ask.ts";
import { openRaw } from "../../test/support/raw.ts";
import { startReceiver } from "../../test/support/receiver.ts";
import { testFunction } from "../../test/support/test-function.ts";
import type { LogLine, TestHost } from "../../test/support/test-host.ts";
import { startTestHost } from "../../test/support/test-host.ts";
import { is, leaf, tracedTo } from "../../test/support/traced.ts";
import { until } from "../../test/support/until.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const accessOf = ({ logs }: Pick<TestHost, "logs">): LogLine[] =>
  logs.filter(({ protocol }) => protocol !== undefined);

const talks = testFunction({
  async greetings({ log }) {
    log.info("said on the way");
    log.debug("said on the way, in detail");
    return [];
  },
});

test("a request over HTTP has one line: route, status, duration, bytes, cold start", async () => {
  await using host = await startTestHost(leaf);
  const { text } = await ask(host.port, "/api/greeting?secret=1", {
    headers: { "x-request-id": "r1" },
  });
  await ask(host.port, "/nowhere");
  await until("both are logged", () => accessOf(host).length === 2);
  const [first, second] = accessOf(host);
  const { durationMs, bytes, time: _, msg, ...rest } = first as LogLine & Record<string, unknown>;
  assert.deepEqual(rest, {
    level: 30,
    service: "leaf",
    requestId: "r1",
    route: "/api/greeting",
    protocol: "http",
    status: 200,
    coldStart: true,
  });
  assert.ok(Number(durationMs) > 0);
  assert.ok(Number(bytes) > text.length, "with its headers");
  assert.equal(msg, `GET /api/greeting 200 in ${durationMs} ms, the first of this process`);
  assert.equal(second?.status, 404);
  assert.equal(second?.route, undefined);
  assert.equal(second?.coldStart, undefined);
  assert.match(second?.msg ?? "", /^GET \/nowhere 404 in /);
  assert.ok(!JSON.stringify(host.logs).includes("secret"));
});

test("a request over gRPC has the same line", async () => {
  await using below = await startTestHost(leaf);
  const root = greeter({ name: "root", greeting: "hi", calls: [grpc("leaf")] });
  await using host = await startTestHost(root, { callees: { leaf: below.address } });
  await ask(host.port);
  await until("it is logged", () => accessOf(below).length === 1);
  const [line] = accessOf(below);
  assert.equal(line?.protocol, "grpc");
  assert.equal(line?.route, "/greeting.GreetingService/Greeting");
  assert.equal(line?.status, 0);
  assert.ok(Number(line?.bytes) > "hello".length);
  assert.match(line?.msg ?? "", /^greeting\.GreetingService\/Greeting OK in /);
});

test("a failure has its status in the line, over both protocols", async () => {
  const fails = testFunction(
    { greetings: () => Promise.reject(new HostError("ERR_STORE", "away")) },
    { name: "leaf" },
  );
  await using below = await startTestHost(fails);
  const root = greeter({ name: "root", greeting: "hi", calls: [grpc("leaf")] });
  await using host = await startTestHost(root, { callees: { leaf: below.address } });
  await ask(host.port);
  await until("both are logged", () => accessOf(host).length + accessOf(below).length === 2);
  assert.deepEqual([accessOf(below)[0]?.status, accessOf(host)[0]?.status], [14, 503]);
});

test("a client that leaves is logged as one that left", async () => {
  const entered = Promise.withResolvers<void>();
  const waits = testFunction({
    greetings: ({ signal }) => {
      entered.resolve();
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason)),
      );
    },
  });
  await using host = await startTestHost(waits);
  const leave = new AbortController();
  const asked = assert.rejects(ask(host.port, "/", { signal: leave.signal }));
  await entered.promise;
  leave.abort();
  await asked;
  await until("it is logged", () => accessOf(host).length === 1);
  assert.equal(accessOf(host)[0]?.status, 499);
});

test("so is one that leaves before it has sent its body", async () => {
  await using host = await startTestHost(leaf);
  {
    using raw = await openRaw(host.port);
    raw.write("POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n");
    await until("its body is waited for", () => raw.said().includes("100 Continue"));
    raw.write("half");
  }
  await until("it is logged", () => accessOf(host).length === 1);
  assert.equal(accessOf(host)[0]?.status, 499);
});

test("health probes are not logged", async () => {
  await using host = await startTestHost(leaf);
  for (const path of ["/healthz", "/readyz"]) await ask(host.port, path);
  await ask(host.port);
  await until("the request is logged", () => accessOf(host).length > 0);
  assert.equal(accessOf(host).length, 1);
});

test("every line within a request has the ids of its span", async () => {
  await using receiver = await startReceiver();
  await using host = await startTestHost(talks, { env: tracedTo(receiver) });
  await ask(host.port);
  const span = await receiver.span("the request's", is("tested", "server"));
  const lines = host.logs.filter(({ requestId }) => requestId !== undefined);
  assert.equal(lines.length, 3);
  for (const line of lines) {
    assert.equal(line.trace_id, span.traceId);
    assert.equal(line.span_id, span.spanId);
  }
});

for (const [what, headers] of [
  ["W3C", { traceparent: `00-${traceId}-${spanId}-01` }],
  ["B3", { b3: `${traceId}-${spanId}-0` }],
] as const) {
  test(`without spans of its own, a host's lines have the ids that came in as ${what}`, async () => {
    await using host = await startTestHost(talks);
    await ask(host.port, "/", { headers });
    await until("it is logged", () => accessOf(host).length === 1);
    const lines = host.logs.filter(({ requestId }) => requestId !== undefined);
    assert.equal(lines.length, 3);
    for (const line of lines) assert.deepEqual([line.trace_id, line.span_id], [traceId, spanId]);
  });
}

test("without any trace a line has no ids of one", async () => {
  await using host = await startTestHost(talks);
  await ask(host.port);
  await until("it is logged", () => accessOf(host).length === 1);
  assert.ok(!JSON.stringify(host.logs).includes("trace_id"));
});

for (const allowed of ["on", "off"]) {
  test(`with LOG_LEVEL_HEADER=${allowed} a request ${allowed === "on" ? "may" : "may not"} ask for detail, on every hop`, async () => {
    const env = { LOG_LEVEL_HEADER: allowed, LOG_LEVEL: "info" };
    const logged: string[] = [];
    const notes = testFunction(
      {
        async greetings({ log, headers }) {
          logged.push(`${log.level} ${headers["x-log-level"]}`);
          return [{ id: "1", service: "Leaf", message: "hello", created: "" }];
        },
      },
      { name: "leaf" },
    );
    await using below = await startTestHost(notes, { env });
    const root = greeter({ name: "root", greeting: "hi", calls: [http("leaf"), grpc("leaf")] });
    await using host = await startTestHost(root, { env, callees: { leaf: below.address } });
    await ask(host.port, "/", { headers: { "x-log-level": "trace" } });
    const expected = allowed === "on" ? "trace trace" : "debug undefined";
    assert.deepEqual(logged, [expected, expected]);
  });
}
