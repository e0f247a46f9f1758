import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "amqplib";
import { freePort, isFree } from "../ports.ts";
import { stopLeftovers } from "./down.ts";
import { isAlive } from "./process-table.ts";
import { startRabbitMq } from "./rabbitmq.ts";
import { readRecord } from "./record.ts";
import type { ServiceError } from "./service.ts";
import { allGone, processesOf, startAndCrash, testOptions } from "./testing.ts";

const limits = { timeout: 60_000 };
const queue = "kept";

async function publish(url: string, text: string): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(queue, { durable: true });
  channel.sendToQueue(queue, Buffer.from(text), { persistent: true });
  await channel.waitForConfirms();
  await connection.close();
}

async function take(url: string): Promise<string | undefined> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  const message = await channel.get(queue, { noAck: true });
  await connection.close();
  return message === false ? undefined : message.content.toString();
}

test(
  "a broker keeps its messages and its port over a stop, which leaves no process",
  limits,
  async () => {
    await using fixture = await testOptions();
    const { options } = fixture;
    const first = await startRabbitMq(options);
    assert.equal(first.owned, true);
    const { port } = new URL(first.url);
    await publish(first.url, "before the stop");
    const processes = processesOf(options.dataDir);
    await first.stop();
    assert.equal(await allGone(processes), true);
    assert.equal(await isFree(Number(port)), true);
    assert.deepEqual(readRecord(options.dataDir), []);
    await first.stop();

    const second = await startRabbitMq(options);
    assert.equal(second.url, first.url);
    assert.equal(await take(second.url), "before the stop");
    const killed = processesOf(options.dataDir);
    await second.kill?.();
    assert.equal(await allGone(killed), true);
    await second.stop();
  },
);

test(
  "a broker left by a crash is taken over, and ended by stopLeftovers after the next",
  limits,
  async () => {
    await using fixture = await testOptions();
    const { options } = fixture;
    await startAndCrash(startRabbitMq, "./rabbitmq.ts", options);
    const [left] = readRecord(options.dataDir);
    const begun = performance.now();
    const service = await startRabbitMq(options);
    assert.ok(performance.now() - begun < 5_000);
    assert.equal(service.owned, true);
    assert.equal(service.pid, left?.groups.at(-1)?.[0]?.pid);
    assert.match(service.origin, /still running from an earlier start$/);

    const processes = processesOf(options.dataDir);
    assert.equal(await stopLeftovers(options), 1);
    assert.equal(await allGone(processes), true);
    await service.stop();
  },
);

test("a broker that was killed leaves its epmd, which the next start ends", limits, async () => {
  await using fixture = await testOptions();
  const { options } = fixture;
  await startAndCrash(startRabbitMq, "./rabbitmq.ts", options);
  const [left] = readRecord(options.dataDir);
  const server = left?.groups.at(-1) ?? [];
  for (const { pid } of server) process.kill(pid, "SIGKILL");
  assert.equal(await allGone(server), true);
  const helpers = left?.groups.slice(0, -1).flat() ?? [];
  const service = await startRabbitMq(options);
  assert.equal(helpers.some(isAlive), false);
  assert.notEqual(service.pid, server[0]?.pid);
  await service.stop();
});

test("an abort while a broker starts leaves no process", limits, async () => {
  await using fixture = await testOptions();
  const abort = new AbortController();
  const options = { ...fixture.options, signal: abort.signal };
  const starting = startRabbitMq(options);
  starting.catch(() => {}); // asserted below
  while (readRecord(options.dataDir).length === 0) await delay(20);
  await delay(300); // into the start of its runtime
  const processes = processesOf(options.dataDir);
  abort.abort(new Error("Ctrl-C"));
  await assert.rejects(starting, /Ctrl-C/);
  assert.equal(await allGone(processes), true);
  assert.deepEqual(readRecord(options.dataDir), []);
});

test("RABBITMQ_URL is used as it is, and its password is not shown", limits, async () => {
  const url = `amqp://greeter:secret@127.0.0.1:${await freePort()}/%2f`;
  await using fixture = await testOptions({ RABBITMQ_URL: url });
  const service = await startRabbitMq(fixture.options);
  assert.deepEqual([service.url, service.origin, service.owned], [url, "RABBITMQ_URL", false]);
  assert.equal(fixture.lines.length, 1);
  assert.match(fixture.lines[0] ?? "", /amqp:\/\/greeter:\*\*\*@.* does not answer yet/);
  await service.stop();
});

test(
  "without any way to a broker the error lists the ways and says what to type",
  limits,
  async () => {
    await using fixture = await testOptions({ PATH: "" });
    await assert.rejects(startRabbitMq(fixture.options), (error: ServiceError) => {
      assert.equal(error.code, "ERR_SERVICE");
      for (const way of ["rabbitmq-server: it is not installed", "Docker: ", "apt-get: "]) {
        assert.ok(error.message.includes(way), way);
      }
      assert.match(error.message, /Type `.*`, or set RABBITMQ_URL=/);
      return true;
    });
  },
);
