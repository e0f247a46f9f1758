/** What becomes of a message, as its trace shows it. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { connect } from "amqplib";
import { HostError } from "#host/base/errors";
import { deadLetterName, declareQueue } from "#host/events/queue";
import { unique } from "../test/support/effect-host.ts";
import { startReceiver } from "../test/support/receiver.ts";
import { useBroker } from "../test/support/services.ts";
import { testFunction } from "../test/support/test-function.ts";
import { startTestHost } from "../test/support/test-host.ts";
import { is, tracedTo } from "../test/support/traced.ts";
import { bridge } from "./bridge.ts";

// Registered before the broker's own end, which must come after it.
after(() => connection.close());
const url = await useBroker();
const connection = await connect(url);
const channel = await connection.createChannel();

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const event = {
  "content-type": "application/json",
  "ce-specversion": "1.0",
  "ce-id": "e1",
  "ce-source": "/s",
  "ce-type": "t",
  "ce-traceparent": `00-${traceId}-${spanId}-01`,
};

/** A bridge with a subscriber that fails so often, both telling a receiver of their spans. */
async function startBridge(failures: HostError[], env: Record<string, string> = {}) {
  const receiver = await startReceiver();
  const queue = unique("bridge-spans");
  await declareQueue(channel, queue);
  const subscriber = testFunction(
    {
      routes: [
        {
          method: "POST",
          path: "/",
          async handle() {
            const failure = failures.shift();
            if (failure) throw failure;
            return { status: 204 };
          },
        },
      ],
    },
    { name: "subscriber" },
  );
  const below = await startTestHost(subscriber, { env: tracedTo(receiver) });
  const host = await startTestHost(
    bridge({ name: "bridge", sources: [{ queue, to: "subscriber" }] }),
    {
      env: { RABBITMQ_URL: url, ...tracedTo(receiver), ...env },
      callees: { subscriber: below.address },
    },
  );
  return {
    receiver,
    queue,
    host,
    send: (headers: Record<string, unknown> = event) =>
      channel.sendToQueue(queue, Buffer.from("{}"), { headers, messageId: "m1" }),
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await below[Symbol.asyncDispose]();
      await receiver[Symbol.asyncDispose]();
      for (const name of [queue, deadLetterName(queue)]) await channel.deleteQueue(name);
      await channel.deleteExchange(deadLetterName(queue));
    },
  };
}

test("a message's processing belongs to the event's trace, and so does what the subscriber does", async () => {
  await using sut = await startBridge([]);
  sut.send();
  const consumer = await sut.receiver.span("the processing", is("bridge", "consumer"));
  const client = await sut.receiver.span("the delivery", is("bridge", "client"));
  const server = await sut.receiver.span("the subscriber's", is("subscriber", "server"));
  assert.equal(consumer.traceId, traceId);
  assert.equal(consumer.parentSpanId, spanId);
  assert.equal(consumer.name, `process ${sut.queue}`);
  assert.deepEqual(consumer.attributes, {
    "messaging.system.name": "rabbitmq",
    "messaging.destination.name": sut.queue,
    "messaging.operation.name": "process",
    "messaging.operation.type": "process",
    "messaging.message.id": "m1",
    "messaging.message.body.size": 2,
    "faas.trigger": "pubsub",
  });
  assert.equal(client.parentSpanId, consumer.spanId);
  assert.partialDeepStrictEqual(client.attributes, {
    "server.service.name": "subscriber",
    "http.response.status_code": 204,
    "cloudevents.event_id": "e1",
    "cloudevents.event_source": "/s",
    "cloudevents.event_type": "t",
  });
  assert.equal(server.traceId, traceId);
  assert.equal(server.parentSpanId, client.spanId);
  assert.deepEqual(server.links, [{ traceId, spanId }]);
});

test("each delivery is a span of its own, and what is tried again is an event of the processing", async () => {
  await using sut = await startBridge([new HostError("ERR_STORE", "away")]);
  sut.send();
  const consumer = await sut.receiver.span("the processing", is("bridge", "consumer"));
  assert.equal(consumer.error, null);
  assert.deepEqual(
    consumer.events.map(({ name, attributes: { attempt, reason } }) => [name, attempt, reason]),
    [["retry", 1, "503: away"]],
  );
  const deliveries = sut.receiver.spans.filter(is("bridge", "client"));
  assert.deepEqual(
    deliveries.map(({ error, parentSpanId }) => [error, parentSpanId]),
    [
      ["away", consumer.spanId],
      [null, consumer.spanId],
    ],
  );
});

for (const [what, failures, env, headers, code, reason] of [
  ["is refused", [new HostError("ERR_BAD_REQUEST", "no")], {}, event, "ERR_BAD_REQUEST", "400: no"],
  [
    "was tried in vain",
    [new HostError("ERR_STORE", "away")],
    { BRIDGE_ATTEMPTS: "1" },
    event,
    "ERR_STORE",
    "503: away",
  ],
  [
    "is no event",
    [],
    {},
    { ...event, "ce-type": "" },
    "ERR_BAD_REQUEST",
    "not a CloudEvent: type is empty",
  ],
] as const) {
  test(`a message that ${what} is seen to be dead-lettered, and why`, async () => {
    await using sut = await startBridge([...failures], env);
    sut.send(headers);
    const consumer = await sut.receiver.span("the processing", is("bridge", "consumer"));
    assert.equal(consumer.error, reason);
    assert.equal(consumer.attributes["error.type"], code);
    const [event] = consumer.events;
    assert.equal(event?.name, "message.dead-lettered");
    assert.equal(event?.attributes.reason, reason);
  });
}
