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

test("a broker that is away is no failure: nothing is known of its queues", async () => {
  const depth = createQueueDepth("amqp://127.0.0.1:1", ["one", "two"]);
  await depth.look();
  assert.deepEqual([depth.of("one"), depth.of("two")], [null, null]);
  await depth.close();
});
