import assert from "node:assert/strict";
import { after, test } from "node:test";
import { connect, type GetMessage } from "amqplib";
import { publishTo } from "#host";
import { HostError } from "#host/base/errors";
import type { PropagatedHeaders } from "#host/base/headers";
import { deadLetterName } from "#host/events/queue";
import { ask } from "../../test/support/ask.ts";
import { startEffectHost, unique } from "../../test/support/effect-host.ts";
import { openGate } from "../../test/support/gate.ts";
import { useBroker } from "../../test/support/services.ts";
import { testCall } from "../../test/support/test-call.ts";
import { until } from "../../test/support/until.ts";

// Registered before the broker's own end, which must come after it.
after(() => connection.close());
const url = await useBroker();
const connection = await connect(url);
const broker = await connection.createChannel();

const headers: PropagatedHeaders = { traceparent: "00-a-b-01", "x-request-id": "r1" };
const greetingOf = (id: string) => ({
  id,
  service: "Service-D",
  message: "Shalom",
  created: "2026-01-01T00:00:00.500Z",
});

async function startPublisher(at = url) {
  const queue = unique("publisher");
  const { host, effect: publisher } = await startEffectHost(publishTo(queue), { RABBITMQ_URL: at });
  return {
    queue,
    host,
    publisher,
    async take(): Promise<GetMessage> {
      const message = await broker.get(queue, { noAck: true });
      return message || assert.fail("the queue is empty");
    },
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      for (const name of [queue, deadLetterName(queue)]) await broker.deleteQueue(name);
      await broker.deleteExchange(deadLetterName(queue));
    },
  };
}

test("a greeting that was published is in the queue, as a persistent event", async () => {
  await using sut = await startPublisher();
  using call = testCall({ headers });
  await sut.publisher.apply(greetingOf("1"), call);
  const { content, properties, fields } = await sut.take();
  assert.equal(fields.redelivered, false);
  assert.deepEqual(JSON.parse(content.toString()), greetingOf("1"));
  assert.equal(properties.deliveryMode, 2);
  assert.equal(properties.contentType, "application/json");
  assert.equal(properties.messageId, "1");
  // Counted by the broker, for its delivery limit.
  const { "x-delivery-count": _, ...sent } = properties.headers ?? {};
  assert.deepEqual(sent, {
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "/tested",
    "ce-type": "com.example-api.greeting.created",
    "ce-time": "2026-01-01T00:00:00.500Z",
    "ce-traceparent": "00-a-b-01",
    "ce-xrequestid": "r1",
  });
});

test("many at the same time are all in the queue, each once", async () => {
  await using sut = await startPublisher();
  using call = testCall();
  const ids = Array.from({ length: 100 }, (_, i) => `id-${i}`);
  await Promise.all(ids.map((id) => sut.publisher.apply(greetingOf(id), call)));
  const taken: string[] = [];
  for (const _ of ids) taken.push((await sut.take()).properties.messageId);
  assert.deepEqual(taken.sort(), ids.sort());
});

test("publishing waits for the broker's confirm, and ends with its call", async () => {
  await using gate = await openGate(url);
  await using sut = await startPublisher(gate.url);
  using warm = testCall();
  await sut.publisher.apply(greetingOf("1"), warm);
  gate.freeze();
  using call = testCall({ timeoutMs: 100 });
  const failing = sut.publisher.apply(greetingOf("2"), call);
  await assert.rejects(failing, { code: "ERR_DEADLINE", message: /^RabbitMQ: no answer within/ });
  await gate.shut();
});

test("a queue that is deleted fails one publish; it is declared anew for the next", async () => {
  await using sut = await startPublisher();
  using call = testCall();
  await sut.publisher.apply(greetingOf("1"), call);
  await broker.deleteQueue(sut.queue);
  await assert.rejects(sut.publisher.apply(greetingOf("2"), call), {
    code: "ERR_PUBLISH",
    message: new RegExp(`^RabbitMQ did not take the message for queue ${sut.queue} \\(`),
  });
  await sut.publisher.apply(greetingOf("3"), call);
  assert.equal((await sut.take()).properties.messageId, "3");
});

test("a broker that is away at the start makes the host not ready, until it is there", async () => {
  await using gate = await openGate(url);
  await gate.shut();
  await using sut = await startPublisher(gate.url);
  await until("it has tried", () => sut.host.logs.some(({ msg }) => msg.includes("trying on")));
  const answer = await ask(sut.host.port, "/readyz");
  assert.equal(answer.status, 503);
  assert.match(answer.text, /"RabbitMQ":"RabbitMQ is unreachable \(connect ECONNREFUSED/);
  using call = testCall({ timeoutMs: 10_000 });
  await assert.rejects(sut.publisher.apply(greetingOf("1"), call), { code: "ERR_PUBLISH" });
  await gate.open();
  await until("the host is ready", () => sut.host.ready());
  await sut.publisher.apply(greetingOf("2"), call);
  assert.equal((await sut.take()).properties.messageId, "2");
});

/** Connection.Close of AMQP 0.9.1 with code 320, as a broker sends it that is shut down in order. */
function farewell(): Buffer {
  const text = Buffer.from("CONNECTION_FORCED - broker forced connection closure");
  const method = Buffer.from([0, 10, 0, 50, 320 >> 8, 320 & 255, text.length]);
  const payload = Buffer.concat([method, text, Buffer.from([0, 0, 0, 0])]);
  const head = Buffer.from([1, 0, 0, 0, 0, 0, payload.length]);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}

for (const [how, end] of [
  ["without a word", () => {}],
  ["with a farewell", (gate: { say(bytes: Buffer): void }) => gate.say(farewell())],
] as const) {
  test(`a broker that goes ${how} and comes back is published to again, without a restart`, async () => {
    await using gate = await openGate(url);
    await using sut = await startPublisher(gate.url);
    using call = testCall({ timeoutMs: 20_000 });
    await sut.publisher.apply(greetingOf("1"), call);
    end(gate);
    await gate.shut();
    await until("the host is not ready", () => !sut.host.ready());
    await assert.rejects(sut.publisher.apply(greetingOf("2"), call), { code: "ERR_PUBLISH" });
    await gate.open();
    await until("the host is ready", () => sut.host.ready());
    await sut.publisher.apply(greetingOf("3"), call);
    assert.deepEqual(
      [(await sut.take()).properties.messageId, (await sut.take()).properties.messageId],
      ["1", "3"],
    );
  });
}

test("a broker that is back at once is waited for", async () => {
  await using gate = await openGate(url);
  await using sut = await startPublisher(gate.url);
  using call = testCall();
  await sut.publisher.apply(greetingOf("1"), call);
  await gate.shut();
  await until("the host is not ready", () => !sut.host.ready());
  const publishing = sut.publisher.apply(greetingOf("2"), call);
  await gate.open();
  await publishing;
  assert.equal((await sut.take()).properties.messageId, "1");
  assert.equal((await sut.take()).properties.messageId, "2");
});

test("what is under way as the broker goes fails with ERR_PUBLISH, not with the deadline", async () => {
  await using gate = await openGate(url);
  await using sut = await startPublisher(gate.url);
  using call = testCall({ timeoutMs: 20_000 });
  await sut.publisher.apply(greetingOf("1"), call);
  gate.freeze();
  const failing = assert.rejects(sut.publisher.apply(greetingOf("2"), call), {
    code: "ERR_PUBLISH",
  });
  await gate.shut();
  await failing;
});

test("a call that is over already does not hinder others", async () => {
  await using gate = await openGate(url);
  await gate.shut();
  await using sut = await startPublisher(gate.url);
  using call = testCall();
  call.abort(new HostError("ERR_CANCELLED", "the client left"));
  await assert.rejects(sut.publisher.apply(greetingOf("1"), call), {
    code: "ERR_CANCELLED",
    message: /^RabbitMQ is unreachable \(.*\): the client left$/,
  });
});

test("closing leaves no connection, also when the broker is away", async () => {
  await using gate = await openGate(url);
  await using first = await startPublisher(gate.url);
  await until("the host is ready", () => first.host.ready());
  await first.host.close();
  await until("no connection is left", () => gate.connections() === 0);
  await gate.shut();
  await using second = await startPublisher(gate.url);
  await second.host.close();
});

test("shows how many messages wait, without a broker that is stuck or away holding up the scrape", async () => {
  await using gate = await openGate(url);
  await using sut = await startPublisher(gate.url);
  using call = testCall();
  const depth = async () => {
    const { text, status } = await ask(sut.host.port, "/metrics");
    assert.equal(status, 200);
    const name = `messaging_destination_name="${sut.queue}"`;
    return new RegExp(`^messaging_queue_depth{[^}]*${name}.*} (\\d+)$`, "m").exec(text)?.[1];
  };
  for (const id of ["1", "2", "3"]) await sut.publisher.apply(greetingOf(id), call);
  await until("the broker has counted them", async () => (await depth()) === "3");
  gate.freeze();
  assert.equal(await depth(), undefined);
  await gate.shut();
  assert.equal(await depth(), undefined);
  await gate.open();
  await until("the figures are back", async () => (await depth()) === "3");
  // A queue that is gone closes the channel that asks, and that is none of the publisher's.
  await broker.deleteQueue(deadLetterName(sut.queue));
  assert.equal(await depth(), "3");
  await sut.publisher.apply(greetingOf("4"), call);
});
