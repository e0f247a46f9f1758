import assert from "node:assert/strict";
import { after, test } from "node:test";
import amqp, { type GetMessage } from "amqplib";
import { deadLetterHeaders } from "#host/events/dead-letter";
import { deadLetterName, declareQueue } from "#host/events/queue";
import { unique } from "../../test/support/effect-host.ts";
import { runNode } from "../../test/support/run-function.ts";
import { useBroker } from "../../test/support/services.ts";
import { until } from "../../test/support/until.ts";
import { openDeadLetters } from "./dead-letters.ts";

// Registered before the broker's own end, which must come after it.
after(async () => {
  await letters.close();
  await connection.close();
});
const url = await useBroker();
const connection = await amqp.connect(url);
const channel = await connection.createConfirmChannel();
const letters = await openDeadLetters(url);

const all = () => true;
const command = new URL("../dead-letters.ts", import.meta.url).pathname;

/** Without what counts how often it was read. */
function propertiesOf({ properties }: GetMessage) {
  const { "x-delivery-count": _, "x-copy-id": __, ...headers } = properties.headers ?? {};
  return { ...properties, headers };
}

/** A queue and dead letters in it; `limit` is the delivery limit of their queue, which RabbitMQ 4 has by default. */
async function startQueue(count: number, limit?: number) {
  const queue = unique("dead");
  const dead = deadLetterName(queue);
  if (limit === undefined) await declareQueue(channel, queue);
  else {
    const quorum = { "x-queue-type": "quorum" };
    await channel.assertQueue(dead, { arguments: { ...quorum, "x-delivery-limit": limit } });
    await channel.assertQueue(queue, { arguments: quorum });
  }
  const send = async (ids: string[]) => {
    for (const id of ids) put(id);
    await channel.waitForConfirms();
  };
  const put = (id: string) => {
    const event = { "ce-id": id, "ce-type": "t", "ce-source": "/s", "ce-specversion": "1.0" };
    const death = { [deadLetterHeaders.reason]: "400: no", [deadLetterHeaders.attempts]: 1 };
    const headers = { ...event, ...death };
    const options = { headers, persistent: true, contentType: "text/plain", messageId: id };
    channel.sendToQueue(dead, Buffer.from(`body of ${id}`), options);
  };
  const ids = Array.from({ length: count }, (_, i) => `e${i}`);
  await send(ids);
  /** Takes everything out of one of the queues. */
  const takeAll = async (from: string) => {
    const messages: GetMessage[] = [];
    for (;;) {
      const message = await channel.get(from, { noAck: true });
      if (!message) return messages;
      messages.push(message);
    }
  };
  return {
    queue,
    dead,
    ids,
    send,
    takeAll,
    takeIds: async (from: string) => (await takeAll(from)).map((one) => one.properties.messageId),
    listed: async (limit = 1_000) => (await letters.list(queue, limit)).letters.map(({ id }) => id),
    async [Symbol.asyncDispose]() {
      for (const name of [queue, dead]) await channel.deleteQueue(name);
      await channel.deleteExchange(dead);
    },
  };
}

test("reading leaves messages and their order as they were, however often and whatever part of them is read", async () => {
  await using sut = await startQueue(150);
  const before = (await sut.takeAll(sut.dead)).map(propertiesOf);
  await sut.send(sut.ids);
  // Often enough for the queue to be written anew.
  for (let i = 0; i < 5; i++) {
    assert.deepEqual(await sut.listed(), sut.ids);
    assert.deepEqual(await sut.listed(7), sut.ids.slice(0, 7));
    const [found] = await letters.find(sut.queue, "e99");
    assert.equal(found?.message.content.toString(), "body of e99");
  }
  const after = await sut.takeAll(sut.dead);
  assert.deepEqual(
    after.map(({ content }) => content.toString()),
    sut.ids.map((id) => `body of ${id}`),
  );
  assert.deepEqual(after.map(propertiesOf), before);
});

test("reading more often than the broker's delivery limit drops nothing", async () => {
  await using sut = await startQueue(5, 20);
  for (let i = 0; i < 45; i++)
    assert.deepEqual(await sut.listed(i % 2 ? 2 : 5), i % 2 ? ["e0", "e1"] : sut.ids);
  assert.deepEqual(await sut.takeIds(sut.dead), sut.ids);
});

test("a retry goes to the queue that it came from, without its death; the others stay in order", async () => {
  await using sut = await startQueue(4);
  const retried = await letters.retry(sut.queue, ({ id }) => id === "e1");
  assert.deepEqual(
    retried.map(({ id }) => id),
    ["e1"],
  );
  const [message, ...more] = await sut.takeAll(sut.queue);
  assert.equal(more.length, 0);
  assert.equal(message?.content.toString(), "body of e1");
  assert.equal(message?.properties.deliveryMode, 2);
  const { headers = {} } = message.properties;
  assert.equal(headers["ce-id"], "e1");
  assert.equal(headers[deadLetterHeaders.reason], undefined);
  assert.equal(headers[deadLetterHeaders.retries], 1);
  assert.equal(headers[deadLetterHeaders.attempts], 1, "deliveries are counted on");
  assert.deepEqual(await sut.takeIds(sut.dead), ["e0", "e2", "e3"]);
});

test("a retry of all leaves no message twice, and keeps their order", async () => {
  await using sut = await startQueue(370);
  assert.equal((await letters.retry(sut.queue, all)).length, 370);
  assert.deepEqual(await sut.takeIds(sut.dead), []);
  assert.deepEqual(await sut.takeIds(sut.queue), sut.ids);
});

test("a retry without a queue to go to fails, and the message stays", async () => {
  await using sut = await startQueue(2);
  await channel.deleteQueue(sut.queue);
  await assert.rejects(letters.retry(sut.queue, all), {
    code: "ERR_PUBLISH",
    message: /there is no such queue/,
  });
  assert.deepEqual(await sut.listed(), sut.ids);
});

test("a retry that is killed leaves each message once or twice", async () => {
  // So many that the retry is still under way when it is killed, however busy the machine.
  await using sut = await startQueue(3_000);
  const args = [command, "retry", "--all", "--queue", sut.queue];
  await using run = runNode(args, { RABBITMQ_URL: url });
  await until(
    "some are retried",
    async () => (await channel.checkQueue(sut.queue)).messageCount > 20,
  );
  run.child.kill("SIGKILL");
  assert.equal(await run.exit, "SIGKILL");
  const seen = new Map(sut.ids.map((id) => [id, 0]));
  // The broker puts back what the killed one held.
  await until("all of them", async () => {
    for (const queue of [sut.dead, sut.queue])
      for (const id of await sut.takeIds(queue)) seen.set(id, (seen.get(id) ?? 0) + 1);
    return [...seen.values()].every((times) => times > 0);
  });
  assert.deepEqual(
    [...seen].filter(([, times]) => times > 2),
    [],
  );
  const twice = [...seen.values()].filter((times) => times === 2).length;
  // Those under way at once, and those before them whose acknowledgements the broker had not done yet.
  assert.ok(twice <= 200, `${twice} messages are there twice`);
});

test("only what is chosen is dropped, and all of it", async () => {
  await using sut = await startQueue(600);
  const isOdd = (id: string) => /[13579]$/.test(id);
  const dropped = await letters.drop(sut.queue, ({ id }) => isOdd(id));
  assert.equal(dropped.length, 300);
  assert.deepEqual(
    await sut.takeIds(sut.dead),
    sut.ids.filter((id) => !isOdd(id)),
  );
  assert.deepEqual(await sut.takeIds(sut.queue), []);
});

test("several that read at the same time all see everything", async () => {
  await using sut = await startQueue(50);
  const other = await openDeadLetters(url);
  try {
    const lists = await Promise.all(
      [letters, other, letters, other].map((one) => one.list(sut.queue, 100)),
    );
    for (const list of lists) assert.equal(list.letters.length, 50);
  } finally {
    await other.close();
  }
});

test("what the broker dead-letters itself has its reason and time", async () => {
  await using sut = await startQueue(0);
  channel.sendToQueue(sut.queue, Buffer.from("{"), { contentType: "text/plain" });
  await channel.waitForConfirms();
  const message = await channel.get(sut.queue);
  assert.ok(message);
  const before = Math.floor(Date.now() / 1_000) * 1_000;
  channel.nack(message, false, false);
  await until("it is there", async () => (await sut.listed()).length === 1);
  const {
    letters: [letter],
  } = await letters.list(sut.queue, 1);
  assert.equal(letter?.reason, "rejected by its consumer, whose log says why");
  assert.match(letter.id, /^[\da-f]{16}$/, "without any id it is named by its content");
  assert.equal(letter.attempts, null);
  assert.ok(Date.parse(letter.time ?? "") >= before);
});

test("a structured event is known by what is in its body", async () => {
  await using sut = await startQueue(0);
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
  const event = { specversion: "1.0", id: "s1", type: "t1", source: "/s1", traceparent };
  const options = { contentType: "application/cloudevents+json; charset=utf-8" };
  channel.sendToQueue(sut.dead, Buffer.from(JSON.stringify(event)), options);
  await channel.waitForConfirms();
  const {
    letters: [letter],
  } = await letters.list(sut.queue, 1);
  assert.partialDeepStrictEqual(letter, { id: "s1", type: "t1", source: "/s1", traceId });
});

test("a broker that is away is named", async () => {
  await assert.rejects(openDeadLetters("amqp://user:secret@127.0.0.1:1"), {
    code: "ERR_PUBLISH",
    message: /^RabbitMQ is unreachable \(connect ECONNREFUSED 127\.0\.0\.1:1\)$/,
  });
});

test("a lost connection ends the work with an error that says so", async () => {
  await using sut = await startQueue(2);
  const opened = await openDeadLetters(url);
  await opened.close();
  await assert.rejects(opened.list(sut.queue, 1), { code: "ERR_PUBLISH", message: /^RabbitMQ: / });
});
