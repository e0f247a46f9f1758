/** What the broker does to a connection: alarms, and queues that it refuses. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "amqplib";
import { publishTo } from "#host";
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

const greetingOf = (id: string) => ({
  id,
  service: "Service-D",
  message: "Shalom",
  created: "2026-01-01T00:00:00.500Z",
});

/** Connection.Blocked and Connection.Unblocked of AMQP 0.9.1, as a broker sends them whose memory is low. */
function blockedFrame(reason: string | undefined): Buffer {
  const text = Buffer.from(reason ?? "");
  const payload = Buffer.concat([
    Buffer.from(reason === undefined ? [0, 10, 0, 61] : [0, 10, 0, 60, text.length]),
    text,
  ]);
  return Buffer.concat([
    Buffer.from([1, 0, 0, 0, 0, 0, payload.length]),
    payload,
    Buffer.from([0xce]),
  ]);
}

test("an alarm that blocks publishers is seen in readiness, in the log and in the refusal, until it is over", async () => {
  await using gate = await openGate(url);
  const { host, effect: publisher } = await startEffectHost(publishTo(unique("blocked")), {
    RABBITMQ_URL: gate.url,
  });
  await using _ = host;
  using call = testCall({ timeoutMs: 20_000 });
  await publisher.apply(greetingOf("1"), call);
  gate.say(blockedFrame("low on memory"));
  await until("the host is not ready", () => !host.ready());
  const problem = "RabbitMQ blocks publishers (low on memory)";
  const { text } = await ask(host.port, "/readyz");
  assert.equal(JSON.parse(text).checks.RabbitMQ, problem);
  await assert.rejects(publisher.apply(greetingOf("2"), call), {
    code: "ERR_PUBLISH",
    message: problem,
  });
  const lines = host.logs.filter(({ msg }) => msg.includes("blocks publishers"));
  assert.deepEqual(
    lines.map(({ reason }) => reason),
    ["low on memory"],
  );
  gate.say(blockedFrame(undefined));
  await until("the host is ready", () => host.ready());
  await publisher.apply(greetingOf("3"), call);
});

test("a queue that somebody else declared otherwise is one log line with what to do, and not ready", async () => {
  const queue = unique("foreign");
  await broker.assertQueue(queue, { durable: false });
  const { host } = await startEffectHost(publishTo(queue), { RABBITMQ_URL: url });
  await using _ = host;
  const about = () =>
    host.logs.filter(({ level }) => level >= 40).map(({ reason }) => String(reason));
  await until("it was refused", () => about().length > 0);
  await delay(2_500); // several tries
  assert.equal(host.ready(), false);
  assert.equal(about().length, 1, about().join("\n"));
  assert.match(about()[0] ?? "", /inequivalent arg 'durable'.*empty it and delete it/);
  await broker.deleteQueue(queue);
  await until("the host is ready", () => host.ready());
});
