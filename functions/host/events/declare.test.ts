import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect } from "amqplib";
import { greeter, publishTo } from "#host";
import { declareQueues } from "#host/events/declare";
import { deadLetterName, declareQueue } from "#host/events/queue";
import { unique } from "../../test/support/effect-host.ts";
import { runNode } from "../../test/support/run-function.ts";
import { useBroker } from "../../test/support/services.ts";

// Registered before the broker's own end, which must come after it.
after(() => connection.close());
const url = await useBroker();
const connection = await connect(url);
const broker = await connection.createChannel();
const env = { FUNCTION_TARGET: "test", LOG_LEVEL: "silent", RABBITMQ_URL: url };
const nowhere = "amqp://127.0.0.1:1";

/** Fails, and closes the channel, if the queue is not there or was declared otherwise. */
async function assertDeclared(queue: string): Promise<void> {
  await broker.checkExchange(deadLetterName(queue));
  await declareQueue(broker, queue);
  for (const name of [queue, deadLetterName(queue)]) await broker.deleteQueue(name);
  await broker.deleteExchange(deadLetterName(queue));
}

test("what a function publishes to, and the queues that are named besides, are declared, each with its dead-letter exchange", async () => {
  const name = unique("declare");
  const publisher = greeter({ name, greeting: "hi", effects: [publishTo(name)] });
  await declareQueues(publisher, { env });
  await declareQueues(publisher, { env });
  await assertDeclared(name);

  const queue = unique("declare");
  await declareQueues(publisher, { env, others: [queue] });
  await assertDeclared(name);
  await assertDeclared(queue);
});

test("a broker that stays away is an error after the limit, and a function without queues at once", async () => {
  const name = unique("declare");
  const away = { env: { ...env, RABBITMQ_URL: nowhere }, limitMs: 100 };
  const publisher = greeter({ name, greeting: "hi", effects: [publishTo(name)] });
  await assert.rejects(declareQueues(publisher, away), { code: "ERR_PUBLISH" });
  const leaf = greeter({ name: unique("leaf"), greeting: "hi" });
  await assert.rejects(declareQueues(leaf, { env }), { code: "ERR_CONFIG" });
});

test("as a command it ends with exit code 0, and does not serve", async () => {
  const main = join(import.meta.dirname, "../main.ts");
  const environment = { FUNCTION_TARGET: "service-d", RABBITMQ_URL: url };
  await using run = runNode([main, "--declare-queues"], environment);
  assert.equal(await run.exit, 0, run.stderr());
  assert.doesNotMatch(run.stdout(), /listening/);
  await assertDeclared("service-d");
});
