import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import amqp, { type GetMessage } from "amqplib";
import { problemType } from "#host/base/errors";
import { deadLetterHeaders } from "#host/events/dead-letter";
import { deadLetterName, deadLetterReasonHeader, declareQueue } from "#host/events/queue";
import { ask } from "../test/support/ask.ts";
import { useBroker } from "../test/support/services.ts";
import { startTestHost } from "../test/support/test-host.ts";
import { until } from "../test/support/until.ts";
import { bridge } from "./bridge.ts";

// Registered before the broker's own end, which must come after it.
after(() => connection.close());
const url = await useBroker();
const connection = await amqp.connect(url);
const channel = await connection.createChannel();

const problem = (status: number, code: string) => ({
  status,
  body: JSON.stringify({ code, detail: `subscriber: ${code}` }),
});
const refused = problem(400, "ERR_BAD_REQUEST");
const away = problem(503, "ERR_STORE");
const stored = { status: 204, body: "" };

/** A subscriber that answers each event as `answer` says, by how often it has seen it. */
async function startSubscriber(
  answer: (id: string, time: number) => { status: number; body: string },
  before?: Promise<void>,
) {
  const seen: string[] = [];
  const requests: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer(async (request, response) => {
    const id = String(request.headers["ce-id"]);
    seen.push(id);
    requests.push({
      headers: request.headers,
      body: Buffer.concat(await request.toArray()).toString(),
    });
    await before;
    const { status, body } = answer(id, seen.filter((one) => one === id).length);
    response.writeHead(status, { "content-type": problemType }).end(body || undefined);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    seen,
    requests,
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function startBridge(address: string, env: Record<string, string> = {}) {
  const queue = `bridge-test-${randomUUID()}`;
  const dead = deadLetterName(queue);
  await declareQueue(channel, queue);
  const definition = bridge({ name: "bridge", sources: [{ queue, to: "subscriber" }] });
  const host = await startTestHost(definition, {
    env: { RABBITMQ_URL: url, ...env },
    callees: { subscriber: address },
  });
  return {
    host,
    queue,
    send(id: string, content = "{}", headers: Record<string, unknown> = {}) {
      const event = { "ce-specversion": "1.0", "ce-id": id, "ce-source": "/test", "ce-type": "t" };
      const options = { headers: { "content-type": "application/json", ...event, ...headers } };
      channel.sendToQueue(queue, Buffer.from(content), { persistent: true, ...options });
    },
    sendRaw: (content: string, contentType: string) =>
      channel.sendToQueue(queue, Buffer.from(content), { contentType }),
    waiting: async () => (await channel.checkQueue(queue)).messageCount,
    dead: async () => (await channel.checkQueue(dead)).messageCount,
    async takeDead(): Promise<GetMessage> {
      const message = await channel.get(dead, { noAck: true });
      return message || assert.fail("the dead-letter queue is empty");
    },
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      for (const name of [queue, dead]) await channel.deleteQueue(name);
      await channel.deleteExchange(dead);
    },
  };
}

test("hands a message on as a CloudEvent, and acknowledges it on 204", async () => {
  await using subscriber = await startSubscriber(() => stored);
  await using sut = await startBridge(subscriber.address);
  sut.send("one", '{"a":1}', { "ce-traceparent": "00-11-22-01" });
  await until("the event", () => subscriber.requests.length === 1);
  const [{ headers, body } = assert.fail()] = subscriber.requests;
  assert.equal(body, '{"a":1}');
  assert.equal(headers["ce-source"], "/test");
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers["ce-traceparent"], "00-11-22-01");
  await sut.host.close();
  assert.equal(await sut.waiting(), 0);
  assert.equal(await sut.dead(), 0);
});

test("shows the age of the oldest message under way, and 0 when there is none", async () => {
  const answered = Promise.withResolvers<void>();
  await using subscriber = await startSubscriber(() => stored, answered.promise);
  await using sut = await startBridge(subscriber.address);
  const age = async () => {
    const { text } = await ask(sut.host.port, "/metrics");
    const [, value] = /^messaging_queue_oldest_message_age_seconds\{.*\} (.+)$/m.exec(text) ?? [];
    return Number(value);
  };
  assert.equal(await age(), 0);
  const time = new Date(Date.now() - 60_000).toISOString();
  sut.send("old", "{}", { "ce-time": time });
  sut.send("new");
  await until("both", () => subscriber.seen.length === 2);
  const seen = await age();
  assert.ok(seen >= 60 && seen < 120, `${seen}`);
  answered.resolve();
  await until("nothing is under way", async () => (await age()) === 0);
});

test("shows how many messages wait, in the queue and with the dead letters", async () => {
  const answered = Promise.withResolvers<void>();
  await using subscriber = await startSubscriber(() => refused, answered.promise);
  await using sut = await startBridge(subscriber.address, { BRIDGE_PREFETCH: "1" });
  const depths = async () => {
    const { text } = await ask(sut.host.port, "/metrics");
    const found = text.matchAll(/^messaging_queue_depth\{.*_name="([^"]*)",service.*\} (\d+)$/gm);
    return [...found].map(([, queue, depth]) => [queue?.endsWith(".dead-letter"), Number(depth)]);
  };
  for (const id of ["one", "two", "three"]) sut.send(id);
  await until("one", () => subscriber.seen.length === 1);
  assert.deepEqual(await depths(), [
    [false, 2],
    [true, 0],
  ]);
  answered.resolve();
  await until("all", async () => (await depths()).join() === "false,0,true,3");
});

test("tries again what may succeed later, until it does", async () => {
  await using subscriber = await startSubscriber((_, time) => (time < 3 ? away : stored));
  await using sut = await startBridge(subscriber.address);
  sut.send("one");
  await until("three tries", () => subscriber.seen.length === 3);
  await sut.host.close();
  assert.deepEqual(subscriber.seen, ["one", "one", "one"]);
  assert.equal(await sut.waiting(), 0);
  assert.equal(await sut.dead(), 0);
});

test("dead-letters with the reason what failed as often as it may", async () => {
  await using subscriber = await startSubscriber(() => away);
  await using sut = await startBridge(subscriber.address, { BRIDGE_ATTEMPTS: "2" });
  sut.send("one", "content");
  await until("the dead letter", async () => (await sut.dead()) === 1);
  assert.equal(subscriber.seen.length, 2);
  const { content, properties } = await sut.takeDead();
  assert.equal(content.toString(), "content");
  assert.equal(properties.headers?.["ce-id"], "one");
  assert.equal(properties.headers?.[deadLetterReasonHeader], "503: subscriber: ERR_STORE");
});

test("dead-letters a poison message at once with its reason, and serves the next", async () => {
  await using subscriber = await startSubscriber((id) => (id === "poison" ? refused : stored));
  await using sut = await startBridge(subscriber.address, { BRIDGE_PREFETCH: "1" });
  sut.send("poison");
  sut.send("next");
  await until("both", () => subscriber.seen.length === 2);
  await until("the dead letter", async () => (await sut.dead()) === 1);
  assert.deepEqual(subscriber.seen, ["poison", "next"]);
  const { properties } = await sut.takeDead();
  assert.equal(properties.headers?.[deadLetterReasonHeader], "400: subscriber: ERR_BAD_REQUEST");
});

test("dead-letters a structured event that cannot be read, without asking the subscriber", async () => {
  await using subscriber = await startSubscriber(() => stored);
  await using sut = await startBridge(subscriber.address);
  sut.sendRaw("{", "application/cloudevents+json");
  await until("the dead letter", async () => (await sut.dead()) === 1);
  assert.deepEqual(subscriber.seen, []);
  const { properties } = await sut.takeDead();
  assert.match(String(properties.headers?.[deadLetterReasonHeader]), /^not a CloudEvent: /);
});

test("a dead letter has the time, its deliveries, and the trace", async () => {
  await using subscriber = await startSubscriber(() => away);
  await using sut = await startBridge(subscriber.address, { BRIDGE_ATTEMPTS: "2" });
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const before = Date.now();
  const traced = { "ce-traceparent": `00-${traceId}-b7ad6b7169203331-01` };
  sut.send("one", "{}", { ...traced, [deadLetterHeaders.attempts]: 3 });
  await until("the dead letter", async () => (await sut.dead()) === 1);
  const { headers = {} } = (await sut.takeDead()).properties;
  assert.equal(headers[deadLetterHeaders.attempts], 5, "those before a retry count too");
  assert.equal(headers[deadLetterHeaders.trace], traceId);
  const time = Date.parse(headers[deadLetterHeaders.time]);
  assert.ok(time >= before && time <= Date.now());
});

test("a dead letter outlives its message's expiration, and its sender's name and copies do no harm", async () => {
  await using subscriber = await startSubscriber(() => refused);
  await using sut = await startBridge(subscriber.address);
  const event = { "ce-specversion": "1.0", "ce-id": "one", "ce-source": "/s", "ce-type": "t" };
  channel.sendToQueue(sut.queue, Buffer.from("{}"), {
    headers: event,
    expiration: "1000",
    userId: "guest",
  });
  await until("the dead letter", async () => (await sut.dead()) === 1);
  const { properties } = await sut.takeDead();
  assert.equal(properties.expiration, undefined);
  assert.equal(properties.userId, undefined);
});

test("a message whose dead-letter queue was deleted is kept until that is there again", async () => {
  await using subscriber = await startSubscriber(() => refused);
  await using sut = await startBridge(subscriber.address);
  await until("readiness", () => sut.host.ready());
  await channel.deleteQueue(deadLetterName(sut.queue));
  sut.send("one");
  const dead = async () => {
    const looking = await connection.createChannel();
    looking.on("error", () => {});
    return looking.checkQueue(deadLetterName(sut.queue)).then(
      ({ messageCount }) => messageCount,
      () => 0,
    );
  };
  await until("the dead letter", async () => (await dead()) === 1);
  assert.ok(subscriber.seen.length >= 2, "it is delivered again");
});

test("gives back to the queue what waits for another try when draining begins", async () => {
  await using subscriber = await startSubscriber(() => away);
  await using sut = await startBridge(subscriber.address);
  sut.send("one");
  await until("a try", () => subscriber.seen.length >= 1);
  await sut.host.close();
  await until("the message", async () => (await sut.waiting()) === 1);
  assert.equal(await sut.dead(), 0);
});
