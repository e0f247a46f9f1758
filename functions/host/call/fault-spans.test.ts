/** Faults and metrics as they meet the spans: in real ones, that a receiver got. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { http } from "#host";
import { ask } from "../../test/support/ask.ts";
import { edges } from "../../test/support/edges.ts";
import { startReceiver } from "../../test/support/receiver.ts";
import { is, startPair } from "../../test/support/traced.ts";

for (const edge of edges) {
  const { protocol } = edge("leaf");

  test(`${protocol}: a fault is an event of the span where it happened, which has failed by it`, async () => {
    await using receiver = await startReceiver();
    await using sut = await startPair(receiver, edge, { env: { FAULTS: "on" } });
    const headers = { "x-fault": "leaf=delay:5ms, leaf=503" };
    assert.equal((await ask(sut.port, "/", { headers })).status, 503);
    const span = await receiver.span("the leaf's", is("leaf", "server"));
    const injected = span.events.filter(({ name }) => name === "fault.injected");
    assert.deepEqual(
      injected.map(({ attributes }) => attributes["fault.action"]),
      ["delay:5ms", "503"],
    );
    assert.ok(span.durationMs >= 4);
    assert.match(span.error ?? "", /^leaf: a fault was injected: 503/);
    const root = await receiver.span("the root's", is("root", "server"));
    assert.ok(!root.events.some(({ name }) => name === "fault.injected"));
  });
}

test("a metric's exemplar is the span of an operation that it counted", async () => {
  await using receiver = await startReceiver();
  await using sut = await startPair(receiver, http);
  await ask(sut.port);
  const span = await receiver.span("the call", is("root", "client"));
  const accept = "application/openmetrics-text; version=1.0.0";
  const { text } = await ask(sut.port, "/metrics", { headers: { accept } });
  const exemplar = `# {trace_id="${span.traceId}",span_id="${span.spanId}"}`;
  const line = text.split("\n").find((one) => one.includes(exemplar));
  assert.match(
    line ?? "",
    /^http_client_request_duration_seconds_bucket\{.*server_service_name="leaf"/,
  );
});
