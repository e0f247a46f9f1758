/** One bridge for every queue: each keeps its own messages, its own subscriber, its own figures. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { connect } from "amqplib";
import { handler } from "#host";
import { deadLetterName } from "#host/events/queue";
import { ask } from "../test/support/ask.ts";
import { unique } from "../test/support/effect-host.ts";
import { useBroker } from "../test/support/services.ts";
import { startTestHost } from "../test/support/test-host.ts";
import { until } from "../test/support/until.ts";
import { bridge } from "./bridge.ts";

after(() => connection.close());
const RABBITMQ_URL = await useBroker();
const connection = await connect(RABBITMQ_URL);
const channel = await connection.createChannel();

function subscriber(name: string, seen: string[]) {
  return handler({ name, on: { "*": async ({ id }) => void seen.push(id) } });
}

test("the messages of two queues go to two subscribers, and one that is away does not hold the other up", async () => {
  const queues = [unique("one"), unique("two")] as const;
  const seen = { one: [] as string[], two: [] as string[] };
  await using one = await startTestHost(subscriber("one", seen.one));
  const sources = [
    { queue: queues[0], to: "one" },
    { queue: queues[1], to: "two" },
  ];
  {
    await using host = await startTestHost(bridge({ name: "bridge", sources }), {
      env: { RABBITMQ_URL, BRIDGE_PREFETCH: "2" },
      callees: { one: one.address, two: "127.0.0.1:1" },
    });
    await until("readiness", () => host.ready());
    const send = (queue: string, id: string) => {
      const headers = { "ce-specversion": "1.0", "ce-id": id, "ce-source": "/s", "ce-type": "t" };
      channel.sendToQueue(queue, Buffer.from("{}"), { headers });
    };
    for (const id of ["a", "b", "c"]) {
      send(queues[1], `two-${id}`);
      send(queues[0], `one-${id}`);
    }
    await until("the first queue's messages", () => seen.one.length === 3);
    assert.deepEqual(seen.two, []);
    const metrics = async () => (await ask(host.port, "/metrics")).text;
    const held = `messaging_queue_depth{.*name="${queues[1]}".*} 1$`;
    await until("one waits for the two under way", async () =>
      new RegExp(held, "m").test(await metrics()),
    );
    for (const queue of queues) {
      for (const figure of ["depth", "consumers", "oldest_message_age_seconds"]) {
        assert.match(
          await metrics(),
          new RegExp(`^messaging_queue_${figure}{.*name="${queue}"`, "m"),
        );
      }
    }
  }
  for (const queue of queues) {
    for (const name of [queue, deadLetterName(queue)]) await channel.deleteQueue(name);
    await channel.deleteExchange(deadLetterName(queue));
  }
});

test("without any queue it starts, and needs a broker no more than a function without effects", async () => {
  await using host = await startTestHost(bridge({ name: "bridge", sources: [] }), {
    env: { RABBITMQ_URL },
  });
  assert.equal((await ask(host.port, "/readyz")).status, 200);
});
