/** The first request to a graph at zero, with the real functions: what starts when, and what it shows. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import amqp from "amqplib";
import type { Greeting } from "#proto";
import { ask } from "./support/ask.ts";
import { type AtZero, startAtZero } from "./support/at-zero.ts";
import { eventually } from "./support/graph.ts";
import { type Receiver, startReceiver } from "./support/receiver.ts";
import { useBroker, useDatabase, useEmptied } from "./support/services.ts";
import { edgesOf } from "./support/trace-graph.ts";
import { until } from "./support/until.ts";

const functions = [..."abcdefgh"].map((letter) => `service-${letter}`);
const answers = "D G H E B C A".split(" ").map((letter) => `Service-${letter}`);

describe("a graph at zero", () => {
  let receiver: Receiver;
  let env: Record<string, string>;
  let broker: string;

  before(async () => {
    receiver = await startReceiver();
    await useEmptied();
    broker = await useBroker();
    env = {
      RABBITMQ_URL: broker,
      MONGODB_URL: await useDatabase(),
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_BSP_SCHEDULE_DELAY: "100",
    };
  });
  after(() => receiver?.[Symbol.asyncDispose]());

  /** All functions are at zero but the gateway, as on a cluster. */
  const start = async (more: Record<string, string> = {}): Promise<AtZero> => {
    const zero = await startAtZero({ ...env, ...more });
    assert.equal((await ask(zero.port("gateway"), "/healthz")).status, 200);
    return zero;
  };
  const greet = async (zero: AtZero, path = "/api/greeting") => {
    const { status, text, headers } = await ask(zero.port("gateway"), path);
    assert.equal(status, 200, text);
    const { greeting } = JSON.parse(text) as { greeting: Greeting[] };
    const [, traceId = ""] = String(headers.traceresponse).split("-");
    return { greeting, traceId, services: greeting.map(({ service }) => service) };
  };
  const started = ({ events }: AtZero) =>
    events.flatMap((line) => (line.startsWith("start service-") ? [line.slice(6)] : [])).sort();
  const spansOf = (traceId: string) => receiver.spans.filter((span) => span.traceId === traceId);
  /** The functions that the trace shows as woken, once all its operations have ended. */
  const wokenIn = async (traceId: string) => {
    await until("the trace is whole", () =>
      spansOf(traceId).some(({ service, parentSpanId }) => service === "gateway" && !parentSpanId),
    );
    const wakes = () => spansOf(traceId).filter(({ kind }) => kind === "internal");
    return wakes()
      .map(({ attributes }) => String(attributes["faas.invoked_name"]))
      .sort();
  };

  test("starts as a whole at its first request, each function once, and is not woken again", async () => {
    await using zero = await start();
    const first = await greet(zero);
    assert.deepEqual(first.services, answers);
    const { events } = zero;
    assert.deepEqual(started(zero), functions);
    const firstReady = events.findIndex((line) => line.startsWith("ready service-"));
    const late = events.slice(firstReady).filter((line) => line.startsWith("start"));
    assert.deepEqual(late, [], "every function is started before the first is ready");
    assert.deepEqual(zero.wakes(), functions);
    await until("its wakes have ended", async () => (await wokenIn(first.traceId)).length === 8);
    assert.deepEqual(await wokenIn(first.traceId), functions);

    const later = await Promise.all([greet(zero), greet(zero), greet(zero)]);
    const last = await greet(zero);
    for (const { services } of [...later, last]) assert.deepEqual(services, answers);
    assert.deepEqual(zero.wakes(), functions);
    assert.deepEqual(await wokenIn(last.traceId), []);
    // By the edges that a trace draws, a wake is no call.
    assert.deepEqual(
      edgesOf(spansOf(first.traceId)).filter((edge) => /^gateway/.test(edge)),
      ["gateway -grpc-> service-a"],
    );
    const { text } = await ask(zero.port("gateway"), "/metrics");
    const counted = text.split("\n").filter((line) => /^faas_wakes_total\{.* 1$/.test(line));
    assert.equal(counted.length, 8, counted.join("\n"));
  });

  test("starts one level after the other where the wake is off", async () => {
    await using zero = await start({ WAKE_IDLE_MS: "0" });
    assert.deepEqual((await greet(zero)).services, answers);
    assert.deepEqual(zero.wakes(), []);
    const at = (line: string) => {
      assert.ok(zero.events.includes(line), line);
      return zero.events.indexOf(line);
    };
    for (const [upper, lower] of ["ab", "ac", "bd", "be", "eg", "eh"]) {
      assert.ok(at(`ready service-${upper}`) < at(`start service-${lower}`), `${upper} ${lower}`);
    }
  });

  test("starts below the function that the gateway triggers, and nowhere else", async () => {
    await using zero = await start();
    const { services } = await greet(zero, "/api/services/service-b/greeting");
    assert.deepEqual(
      services,
      ["D", "G", "H", "E", "B"].map((letter) => `Service-${letter}`),
    );
    const below = functions.filter((name) => !/[ac]$/.test(name));
    assert.deepEqual(started(zero), below);
    assert.deepEqual(zero.wakes(), below);
  });

  test("starts a queue's consumer as a message is published, before the message arrives", async () => {
    await using zero = await startAtZero(env);
    const connection = await amqp.connect(broker);
    try {
      const channel = await connection.createChannel();
      const isReady = async () => (await ask(zero.port("service-d"), "/readyz")).status === 200;
      await until("service-d has its broker", isReady);
      await channel.purgeQueue("service-d");
      const { text } = await ask(zero.port("service-d"), "/api/greeting");
      await until("service-f is ready", () => zero.events.includes("ready service-f"), 60_000);
      assert.deepEqual(zero.asked("service-f"), ["GET /wake HTTP/1.1"]);
      assert.equal((await channel.checkQueue("service-d")).messageCount, 1, "nothing delivers yet");
      await ask(zero.port("bridge"), "/healthz");
      const wanted = JSON.parse(text).greeting[0].id;
      const stored = await eventually(
        async () => (await ask(zero.port("service-f"), "/api/messages")).text,
        (messages) => messages.includes(wanted),
      );
      assert.ok(stored);
      assert.deepEqual(zero.wakes(), ["service-f"]);
    } finally {
      await connection.close();
    }
  });
});
