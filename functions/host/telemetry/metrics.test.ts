import assert from "node:assert/strict";
import { test } from "node:test";
import { greeter } from "#host";
import { ask } from "../../test/support/ask.ts";
import { figureOf, linesOf, outcome, useMetrics } from "../../test/support/metrics.ts";
import { startTestHost } from "../../test/support/test-host.ts";

const openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/** What Prometheus sends, in the order of its wishes. */
const prometheusAccept =
  "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
  "text/plain;version=0.0.4;q=0.4,*/*;q=0.2";

test("what cannot be counted is left out, and all else is counted", async () => {
  using metrics = useMetrics();
  metrics.record(outcome("server", {}));
  metrics.record(outcome("server", { "http.request.method": "GET" }, { durationSeconds: NaN }));
  metrics.delivered(undefined);
  metrics.delivered("yesterday");
  assert.deepEqual(await linesOf(metrics, "http_"), []);
  assert.deepEqual(await linesOf(metrics, "cloudevents_"), []);
});

test("the first request of an instance is a cold start", async () => {
  using metrics = useMetrics();
  metrics.record(outcome("server", { "http.request.method": "GET", "faas.coldstart": true }));
  metrics.record(outcome("server", { "http.request.method": "GET", "faas.coldstart": false }));
  metrics.ready();
  assert.match((await linesOf(metrics, "faas_coldstarts_total")).join(), /} 1$/);
  assert.ok((await figureOf(metrics, "faas_init_duration_seconds")) > 0);
});

test("exemplars lead to traces, for clients that accept OpenMetrics", async () => {
  using metrics = useMetrics();
  const traced = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
  metrics.record(outcome("server", { "rpc.system.name": "grpc" }, traced));
  const answer = await metrics.answer(prometheusAccept);
  assert.equal(answer.headers?.["content-type"], openMetrics);
  const text = String(answer.body);
  assert.match(
    text,
    /_bucket\{le="0\.05".*\} 1 # \{trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"\} 0\.03 \d+/,
  );
  assert.match(text, /\n# EOF\n$/);
  const plain = await metrics.answer("text/plain");
  assert.match(plain.headers?.["content-type"] ?? "", /^text\/plain; version=0\.0\.4/);
  assert.doesNotMatch(String(plain.body), /trace_id|# EOF/);
});

for (const [accept, isOpen] of [
  ["application/openmetrics-text;q=0,text/plain", false],
  ["application/openmetrics-text;q=0.2,text/plain;q=0.5", false],
  ["application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.4,*/*;q=0.1", true],
  ["APPLICATION/OPENMETRICS-TEXT", true],
  ["*/*", false],
  ["", false],
] as const) {
  test(`accept: ${accept} is answered with ${isOpen ? "OpenMetrics" : "Prometheus' text"}`, async () => {
    using metrics = useMetrics();
    const answer = await metrics.answer(accept);
    const type = answer.headers?.["content-type"] ?? "";
    assert.equal(type.startsWith("application/openmetrics-text"), isOpen);
  });
}

test("both formats keep their names, one after the other and at the same time", async () => {
  using metrics = useMetrics();
  metrics.fault("delay");
  const formats = [openMetrics, "", openMetrics, "", ""];
  const texts = await Promise.all(formats.map((accept) => metrics.answer(accept)));
  for (const [i, { body, headers }] of texts.entries()) {
    const type = formats[i] ? "faults_injected" : "faults_injected_total";
    assert.ok(String(body).includes(`# TYPE ${type} counter\n`), `${i}`);
    assert.ok(String(body).includes('\nfaults_injected_total{fault_action="delay"'));
    assert.equal(headers?.["content-type"]?.startsWith("application/openmetrics"), !!formats[i]);
  }
});

test("a queue whose figures come too late is left out of the scrape, and is not asked twice", async () => {
  using metrics = useMetrics();
  let asked = 0;
  const { promise, resolve } =
    Promise.withResolvers<{ queue: string; depth: number; consumers: number }[]>();
  metrics.watchQueues(() => {
    asked++;
    return promise;
  });
  for (let i = 0; i < 2; i++) assert.deepEqual(await linesOf(metrics, "messaging_queue"), []);
  assert.equal(asked, 1);
  resolve([{ queue: "q", depth: 3, consumers: 1 }]);
  const labels =
    'messaging_system_name="rabbitmq",messaging_destination_name="q",service_name="service-a"';
  assert.deepEqual(await linesOf(metrics, "messaging_queue"), [
    `messaging_queue_depth{${labels}} 3`,
    `messaging_queue_consumers{${labels}} 1`,
  ]);
});

test("a queue that cannot be asked leaves the scrape whole", async () => {
  using metrics = useMetrics();
  metrics.watchQueues(() => Promise.reject(new Error("away")));
  assert.deepEqual(await linesOf(metrics, "messaging_queue"), []);
  assert.notDeepEqual(await linesOf(metrics, "process_"), []);
});

const hello = (name: string) => greeter({ name, greeting: "hi" });

test("GET and HEAD /metrics are answered on the function's one port, and need no function", async () => {
  await using host = await startTestHost(hello("service-c"));
  const answer = await ask(host.port, "/metrics?x=1", { headers: { accept: prometheusAccept } });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["content-type"], openMetrics);
  assert.match(answer.text, /process_uptime_seconds\{service_name="service-c"\} \d/);
  assert.ok(!("x-request-id" in answer.headers), "it is no request of the function's");
  const head = await ask(host.port, "/metrics", { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(head.text, "");
  assert.equal((await ask(host.port, "/metrics", { method: "POST" })).status, 404);
});

test("hosts in one process have figures of their own, in one that ends too", async () => {
  const env = { FAULTS: "on" };
  await using one = await startTestHost(hello("one"), { env });
  {
    await using two = await startTestHost(hello("two"), { env });
    await ask(two.port, "/", { headers: { "x-fault": "two=503, one=delay:1ms" } });
    assert.match(
      (await ask(two.port, "/metrics")).text,
      /faults.*"status",service_name="two"} 1\n/,
    );
  }
  const { text } = await ask(one.port, "/metrics");
  assert.doesNotMatch(text, /fault_action=/);
  assert.doesNotMatch(text, /"two"/);
});

test("with METRICS=off there are none", async () => {
  await using host = await startTestHost(hello("service-c"), { env: { METRICS: "off" } });
  assert.equal((await ask(host.port, "/metrics")).status, 404);
  assert.equal((await ask(host.port)).status, 200);
});
