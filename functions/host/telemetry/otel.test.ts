/** Sending spans: to a receiver that takes them, and to one that does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { resourceOf } from "#host/base/telemetry-config";
import { decodeRequest } from "../../local/otlp-messages.ts";
import { ask } from "../../test/support/ask.ts";
import { startReceiver } from "../../test/support/receiver.ts";
import { startTestHost } from "../../test/support/test-host.ts";
import { leaf, tracedTo } from "../../test/support/traced.ts";
import { until } from "../../test/support/until.ts";

test("spans that wait are sent as the host closes", async () => {
  await using receiver = await startReceiver();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTEL_BSP_SCHEDULE_DELAY: "60000" };
  await using host = await startTestHost(leaf, { env });
  await ask(host.port);
  assert.equal(receiver.spans.length, 0);
  await host.close();
  assert.equal(receiver.spans.length, 1);
});

for (const how of ["broken", "silent", "away"] as const) {
  test(`a receiver that is ${how} fails no request, and does not keep the host from closing`, async () => {
    await using receiver = await startReceiver();
    if (how !== "away") receiver.behave(how);
    const endpoint = how === "away" ? "http://127.0.0.1:1" : receiver.endpoint;
    const env = tracedTo({ endpoint });
    await using host = await startTestHost(leaf, { env });
    for (let i = 0; i < 20; i++) assert.equal((await ask(host.port)).status, 200);
    if (how !== "away") await until("it was asked", () => receiver.refused > 0);
    for (let i = 0; i < 20; i++) assert.equal((await ask(host.port)).status, 200);
    await host.close();
    const lines = host.logs.filter(({ msg }) => msg === "spans cannot be sent");
    if (how === "broken") assert.equal(lines.length, 1);
  });
}

test("spans are sent again when the receiver is back, and the log says both", async () => {
  await using receiver = await startReceiver();
  receiver.behave("broken");
  const env = tracedTo(receiver);
  await using host = await startTestHost(leaf, { env });
  await ask(host.port);
  await until("the log line", () => host.logs.some(({ msg }) => msg === "spans cannot be sent"));
  receiver.behave("well");
  await ask(host.port);
  await until("the log line", () => host.logs.some(({ msg }) => msg === "spans are sent again"));
  assert.equal(receiver.spans.length, 1);
});

test("spans say which process they are of: function, revision, pod, and what the environment adds", async () => {
  await using receiver = await startReceiver();
  const env = {
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.endpoint}/v1/traces`,
    OTEL_BSP_SCHEDULE_DELAY: "20",
    NAMESPACE: "dev",
    K_REVISION: "leaf-v1",
    HOSTNAME: "leaf-v1-abc",
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test, service.version=1%2E2 ,oops",
  };
  await using host = await startTestHost(leaf, { env });
  await ask(host.port);
  await until("it is there", () => receiver.bodies.length > 0);
  const [first] = decodeRequest(receiver.bodies[0] ?? Buffer.alloc(0)).resourceSpans;
  const { "service.instance.id": id, ...resource } = Object.fromEntries(
    (first?.resource?.attributes ?? []).map(({ key, value }) => [key, value?.stringValue]),
  );
  assert.match(String(id), /^[\da-f-]{36}$/);
  assert.partialDeepStrictEqual(resource, {
    "service.name": "leaf",
    "service.namespace": "dev",
    "service.version": "1.2",
    "faas.name": "leaf",
    "faas.version": "leaf-v1",
    "faas.instance": "leaf-v1-abc",
    "k8s.pod.name": "leaf-v1-abc",
    "k8s.namespace.name": "dev",
    "deployment.environment.name": "test",
    "telemetry.sdk.language": "nodejs",
  });
  assert.ok(!("oops" in resource));
});

test("a revision is the version of its spans, unless the environment names another", () => {
  assert.equal(resourceOf("leaf", { K_REVISION: "leaf-00002" })["service.version"], "leaf-00002");
});
