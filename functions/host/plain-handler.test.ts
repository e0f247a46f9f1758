/** A handler that somebody registered with functions-framework directly: no definition, same host. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { http } from "@google-cloud/functions-framework";
import { ask } from "../test/support/ask.ts";
import { startReceiver } from "../test/support/receiver.ts";
import { startTestHost } from "../test/support/test-host.ts";
import { is, tracedTo } from "../test/support/traced.ts";
import { until } from "../test/support/until.ts";

const env = { FUNCTION_TARGET: "plain", BODY_LIMIT_BYTES: "1000" };

http("plain", ({ method, path, query, body, rawBody }, response) => {
  response.json({ method, path, query, body, rawBody: rawBody?.toString() });
});

for (const [type, sent, parsed] of [
  ["application/json", '{"a":[1,2]}', { a: [1, 2] }],
  ["text/plain", "some text", "some text"],
  ["application/x-www-form-urlencoded", "a=1&b=two", { a: "1", b: "two" }],
] as const) {
  test(`it gets a body of ${type} parsed, and as it was`, async () => {
    await using host = await startTestHost(undefined, { env });
    const headers = { "content-type": type };
    const answer = await ask(host.port, "/some/path?q=1", { headers, body: sent });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json(), {
      method: "POST",
      path: "/some/path",
      query: { q: "1" },
      body: parsed,
      rawBody: sent,
    });
  });
}

test("a fault happens before it gets the request", async () => {
  await using host = await startTestHost(undefined, { env: { ...env, FAULTS: "on" } });
  const answer = await ask(host.port, "/", { headers: { "x-fault": "plain=503" } });
  assert.equal(answer.status, 503);
  assert.match(answer.text, /plain: a fault was injected: 503/);
});

test("it gets a request without a body", async () => {
  await using host = await startTestHost(undefined, { env });
  const { method, rawBody } = (await ask(host.port)).json();
  assert.deepEqual([method, rawBody], ["GET", undefined]);
});

test("it has the host's health, limits and request id", async () => {
  await using host = await startTestHost(undefined, { env });
  assert.equal((await ask(host.port, "/readyz")).status, 200);
  assert.equal((await ask(host.port, "/", { body: Buffer.alloc(1_001) })).status, 413);
  const json = { "content-type": "application/json", "x-request-id": "r1" };
  const refused = await ask(host.port, "/", { headers: json, body: "{oops" });
  assert.equal(refused.json().code, "ERR_BAD_REQUEST");
  assert.equal(refused.headers["x-request-id"], "r1");
});

test("it drains: closing waits for its answer", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let entered = false;
  http("slow", async (_, response) => {
    entered = true;
    await released;
    response.send("done");
  });
  await using host = await startTestHost(undefined, { env: { ...env, FUNCTION_TARGET: "slow" } });
  const answer = ask(host.port);
  await until("the handler has the request", () => entered);
  const closed = host.close();
  release();
  assert.equal((await answer).text, "done");
  await closed;
});

test("it has the host's spans and access lines, and the headers that continue its trace", async () => {
  http("tracing", ({ headers }, response) => {
    response.status(headers.accept === "failure" ? 500 : 200).json(headers);
  });
  await using receiver = await startReceiver();
  const traced = { ...env, FUNCTION_TARGET: "tracing", ...tracedTo(receiver) };
  await using host = await startTestHost(undefined, { env: traced });
  const b3 = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";
  const answer = await ask(host.port, "/some/path", { headers: { b3 } });
  const span = await receiver.span("the request's", is("tracing", "server"));
  assert.equal(span.name, "GET");
  assert.equal(span.parentSpanId, "b7ad6b7169203331");
  assert.equal(span.attributes["url.path"], "/some/path");
  const seen = answer.json();
  assert.equal(seen.traceparent, `00-${span.traceId}-${span.spanId}-01`);
  assert.equal(seen.b3, `${span.traceId}-${span.spanId}-1-b7ad6b7169203331`);

  await ask(host.port, "/", { headers: { accept: "failure" } });
  const failed = await receiver.span("the failure's", ({ error }) => error !== null);
  assert.equal(failed.attributes["error.type"], "500");
  const lines = host.logs.filter(({ protocol }) => protocol === "http");
  assert.deepEqual(
    lines.map(({ status }) => status),
    [200, 500],
  );
  assert.equal(lines[0]?.trace_id, span.traceId);
});
