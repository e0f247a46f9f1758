/** Where a request is in its trace, what of it is kept, and what goes on to the next hop. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { greeter, http } from "#host";
import { ask } from "../test/support/ask.ts";
import { startReceiver } from "../test/support/receiver.ts";
import { testFunction } from "../test/support/test-function.ts";
import { startTestHost } from "../test/support/test-host.ts";
import { is, startEcho, tracedTo } from "../test/support/traced.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const kept = `00-${traceId}-${spanId}-01`;
const dropped = `00-${traceId}-${spanId}-00`;

for (const [what, env, headers, isKept] of [
  ["nothing is said", {}, {}, true],
  ["the caller keeps its trace", {}, { traceparent: kept }, true],
  ["the caller does not keep its trace", {}, { traceparent: dropped }, false],
  ["B3 says no without a trace", {}, { b3: "0" }, false],
  ["the sampler is off", { OTEL_TRACES_SAMPLER: "always_off" }, { traceparent: kept }, false],
  ["the sampler is on", { OTEL_TRACES_SAMPLER: "always_on" }, { traceparent: dropped }, true],
  ["roots are not kept", { OTEL_TRACES_SAMPLER: "parentbased_always_off" }, {}, false],
  [
    "roots are not kept, but B3 says yes",
    { OTEL_TRACES_SAMPLER: "parentbased_always_off" },
    { b3: "1" },
    true,
  ],
  [
    "roots are not kept, but the caller's trace is",
    { OTEL_TRACES_SAMPLER: "parentbased_always_off" },
    { traceparent: kept },
    true,
  ],
  [
    "B3 leaves it open and roots are not kept",
    { OTEL_TRACES_SAMPLER: "parentbased_always_off" },
    { b3: `${traceId}-${spanId}` },
    false,
  ],
  [
    "none of the roots is kept",
    { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0" },
    {},
    false,
  ],
  [
    "all of the roots are kept",
    { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "1" },
    {},
    true,
  ],
] as const) {
  test(`when ${what}, the trace is ${isKept ? "" : "not "}kept, and the callee gets that decision`, async () => {
    await using receiver = await startReceiver();
    await using callee = await startEcho();
    const on = { ...tracedTo(receiver), ...env };
    const root = greeter({ name: "root", greeting: "hi", calls: [http("leaf")] });
    await using host = await startTestHost(root, { env: on, callees: { leaf: callee.address } });
    const answer = await ask(host.port, "/", { headers });
    const flag = isKept ? "01" : "00";
    assert.match(String(answer.headers.traceresponse), new RegExp(`-${flag}$`));
    assert.match(String(callee.seen.at(-1)?.traceparent), new RegExp(`-${flag}$`));
    await host.close();
    assert.equal(receiver.spans.length, isKept ? 2 : 0);
  });
}

test("what came in as B3 goes on as B3 with the call's span, and as W3C; the rest is left alone", async () => {
  await using receiver = await startReceiver();
  await using callee = await startEcho();
  const env = tracedTo(receiver);
  const root = greeter({ name: "root", greeting: "hi", calls: [http("leaf")] });
  await using host = await startTestHost(root, { env, callees: { leaf: callee.address } });
  const headers = {
    b3: `${traceId}-${spanId}-1`,
    "x-b3-traceid": traceId,
    "x-b3-spanid": spanId,
    "x-b3-sampled": "1",
    baggage: "a=1",
    "x-cloud-trace-context": "x/1;o=1",
  };
  await ask(host.port, "/", { headers });
  const server = await receiver.span("the root's", is("root", "server"));
  const client = await receiver.span("the call's", is("root", "client"));
  assert.equal(server.traceId, traceId);
  assert.equal(server.parentSpanId, spanId);
  assert.partialDeepStrictEqual(callee.seen[0], {
    traceparent: `00-${traceId}-${client.spanId}-01`,
    b3: `${traceId}-${client.spanId}-1-${server.spanId}`,
    "x-b3-traceid": traceId,
    "x-b3-spanid": client.spanId,
    "x-b3-parentspanid": server.spanId,
    "x-b3-sampled": "1",
    baggage: "a=1",
    "x-cloud-trace-context": "x/1;o=1",
  });
});

const takesEvents = testFunction({
  routes: [{ method: "POST", path: "/", handle: async () => ({ status: 204 }) }],
});
const eventTrace = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
const attributes = {
  specversion: "1.0",
  id: "e1",
  source: "/s",
  type: "t",
  traceparent: eventTrace,
};

for (const [mode, headers, body] of [
  [
    "binary",
    Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value])),
    "",
  ],
  ["structured", { "content-type": "application/cloudevents+json" }, JSON.stringify(attributes)],
] as const) {
  test(`an event in ${mode} mode whose source began a trace of its own is in the event's, and links the other`, async () => {
    await using receiver = await startReceiver();
    const env = tracedTo(receiver);
    await using host = await startTestHost(takesEvents, { env });
    const traced = { ...headers, traceparent: kept };
    await ask(host.port, "/", { method: "POST", headers: traced, body });
    const span = await receiver.span("the event's", is("tested", "server"));
    assert.equal(span.traceId, "a".repeat(32));
    assert.equal(span.parentSpanId, "b".repeat(16));
    assert.deepEqual(span.links, [{ traceId, spanId }]);
    assert.partialDeepStrictEqual(span.attributes, {
      "cloudevents.event_id": "e1",
      "cloudevents.event_type": "t",
      "cloudevents.event_source": "/s",
      "faas.trigger": "pubsub",
    });
  });
}

test("without a receiver the headers go on as they came, and no traceresponse is answered", async () => {
  await using callee = await startEcho();
  const root = greeter({ name: "root", greeting: "hi", calls: [http("leaf")] });
  await using host = await startTestHost(root, { callees: { leaf: callee.address } });
  const headers = { traceparent: kept, b3: `${traceId}-${spanId}-1` };
  const answer = await ask(host.port, "/", { headers });
  assert.equal(answer.headers.traceresponse, undefined);
  assert.partialDeepStrictEqual(callee.seen[0], headers);
});
