import assert from "node:assert/strict";
import { after, test } from "node:test";
import { connect } from "amqplib";
import { unique } from "../../test/support/effect-host.ts";
import { useBroker } from "../../test/support/services.ts";
import { createQueueDepth } from "./queue-depth.ts";

after(() => connection.close());
const url = await useBroker();
const connection = await connect(url);
const channel = await connection.createConfirmChannel();

test("a queue that is missing does not hide the depth of the others, and is shown once it is there", async () => {
  const [one, missing, two] = [unique("depth"), unique("missing"), unique("depth")];
  for (const queue of [one, two]) await channel.assertQueue(queue);
  channel.sendToQueue(one, Buffer.from("x"));
  for (const text of ["x", "y"]) channel.sendToQueue(two, Buffer.from(text));
  await channel.waitForConfirms();
  const depth = createQueueDepth(url, [one, missing, two]);
  const seen = () => [one, missing, two].map(depth.of);
  for (let i = 0; i < 2; i++) {
    await depth.look();
    assert.deepEqual(seen(), [1, null, 2]);
  }
  await channel.assertQueue(missing);
  await depth.look();
  assert.deepEqual(seen(), [1, 0, 2]);
  await depth.close();
  for (const queue of [one, missing, two]) await channel.deleteQueue(queue);
});

test("the depth of a queue stays while its messages are held, and until a look that began afterwards", async () => {
  const [held, other] = [unique("held"), unique("depth")];
  for (const queue of [held, other]) await channel.assertQueue(queue);
  for (const queue of [held, other]) channel.sendToQueue(queue, Buffer.from("x"));
  await channel.waitForConfirms();
  const depth = createQueueDepth(url, [held, other]);
  const seen = () => [held, other].map(depth.of);
  await depth.look();
  assert.deepEqual(seen(), [1, 1]);
  let late: Promise<void> | undefined;
  await depth.keep([held], async () => {
    for (const queue of [held, other]) await channel.get(queue);
    await depth.look();
    assert.deepEqual(seen(), [1, 0]);
    late = depth.look();
  });
  await late;
  assert.deepEqual(seen(), [1, 0]);
  await depth.look();
  assert.deepEqual(seen(), [0, 0]);
  await depth.close();
  for (const queue of [held, other]) await channel.deleteQueue(queue);
});

test("a broker that is away is no failure: nothing is known of its queues", async () => {
  const depth = createQueueDepth("amqp://127.0.0.1:1", ["one", "two"]);
  await depth.look();
  assert.deepEqual([depth.of("one"), depth.of("two")], [null, null]);
  await depth.close();
});
