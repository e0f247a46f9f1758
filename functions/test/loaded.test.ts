/** What a function loads, and when: a start and the memory of all that it does not need are what this saves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "./support/ask.ts";
import { askByGrpc } from "./support/ask-by-grpc.ts";
import { loadedBy } from "./support/loaded.ts";

/** Loaded by those that use them alone. */
const costly = [
  "@grpc/grpc-js",
  "@grpc/reflection",
  "@opentelemetry/sdk-trace",
  "ajv",
  "amqplib",
  "cloudevents",
  "express",
  "grpc-health-check",
  "mongodb",
  "protobufjs",
];

for (const [name, why, used] of [
  ["service-a", "calls by gRPC", ["@grpc/grpc-js"]],
  ["service-c", "saves", ["mongodb"]],
  ["service-d", "publishes", ["amqplib"]],
] as const) {
  test(`${name}, which ${why}, loads ${used} and nothing that others need`, async () => {
    const { packages } = await loadedBy(name);
    assert.deepEqual(
      costly.filter((one) => packages.includes(one)),
      used,
    );
    assert.ok(packages.includes("pino"), "the list has what every function loads");
  });
}

test("a function is called by gRPC without reflection and health being loaded", async () => {
  const { packages } = await loadedBy("service-d", {
    more: (port) => assert.rejects(askByGrpc(port), /service-d/i),
  });
  assert.ok(packages.includes("@grpc/grpc-js"));
  assert.ok(!packages.includes("@grpc/reflection") && !packages.includes("grpc-health-check"));
});

test("the events' SDK is loaded with the first event that may be one", async () => {
  const event = { specversion: "1.0", id: "1", source: "/test", type: "t" };
  const headers = { "content-type": "application/cloudevents+json" };
  const post = (body: string) => (port: number) =>
    ask(port, "/", { method: "POST", headers, body });
  const broken = await loadedBy("service-f", { more: post("[]") });
  assert.ok(!broken.packages.includes("cloudevents"));
  const whole = await loadedBy("service-f", { more: post(JSON.stringify(event)) });
  assert.ok(whole.packages.includes("cloudevents"));
});

test("what wakes a graph is loaded only where there is something to wake", async () => {
  const WAKE = '{"service-b":["service-d"]}';
  for (const [env, isLoaded] of [
    [{}, false],
    [{ WAKE, WAKE_IDLE_MS: "0" }, false],
    [{ WAKE }, true],
  ] as const) {
    const { own } = await loadedBy("service-a", { env });
    assert.equal(own.includes("host/call/wake.ts"), isLoaded, JSON.stringify(env));
    assert.ok(own.includes("host/call/guard.ts"));
  }
});
