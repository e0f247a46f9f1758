/** Events that come late, twice, in the wrong order, or that nothing takes for a while. */
import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import amqp, { type ConfirmChannel } from "amqplib";
import { eventToMessage } from "#host/events/event-message";
import { greetingEventType } from "#host/events/publisher";
import { deadLetterName } from "#host/events/queue";
import { type FaultOf, on } from "../fault.ts";
import { queue } from "../stores.ts";

type GraphFault = Omit<FaultOf<"graph">, "on">;

async function withBroker<T>(
  url: string,
  work: (channel: ConfirmChannel) => Promise<T>,
): Promise<T> {
  const connection = await amqp.connect(url);
  try {
    const channel = await connection.createConfirmChannel();
    const result = await work(channel);
    await channel.waitForConfirms();
    return result;
  } finally {
    await connection.close();
  }
}

function publish(channel: ConfirmChannel, id: string, time: Date): void {
  const event = {
    specversion: "1.0",
    id,
    source: "/service-d",
    type: greetingEventType,
    time: time.toISOString(),
    datacontenttype: "application/json",
    data: { id, message: "Shalom, from Service-D!" },
  };
  const { content, headers, properties } = eventToMessage(event);
  channel.publish("", queue, content, { ...properties, headers, persistent: true });
}

const slowConsumer: GraphFault = {
  name: "slow consumer",
  async run(lab) {
    const proxy = lab.proxy("bridge>service-f");
    proxy.slow(1_000);
    await wait(6_000);
    await proxy.clear();
  },
};

/** Everything that F has is delivered again, while new greetings come. */
const duplicates: GraphFault = {
  name: "duplicate deliveries",
  async run(lab) {
    const events = (await lab.stores.events()).slice(-300);
    await withBroker(lab.broker.url, async (channel) => {
      for (const { id } of [...events, ...events]) publish(channel, id, new Date());
    });
  },
};

/** The newest comes first. */
const outOfOrder: GraphFault = {
  name: "events out of order",
  async run(lab) {
    const ids = Array.from({ length: 200 }, () => randomUUID());
    await withBroker(lab.broker.url, async (channel) => {
      for (const [i, id] of ids.entries()) {
        publish(channel, id, new Date(Date.now() - i * 60_000));
        if (i % 20 === 0) await wait(50);
      }
    });
    for (const id of ids) lab.ledger.addEvent(id);
  },
};

/** The bridge gives up, so that messages end as dead letters; these then go back to the queue. */
const deadLetters: GraphFault = {
  name: "dead letters while F is away",
  async run(lab) {
    await lab.graph.function("service-f").stop();
    // Until the oldest message has had its ten tries.
    const end = Date.now() + 60_000;
    while ((await lab.stores.waiting()).dead < 10) {
      if (Date.now() > end) break; // the ledger shows where they are
      await wait(500);
    }
    await lab.graph.function("service-f").start();
    await withBroker(lab.broker.url, bringBack);
  },
};

/** In this order nothing is lost: confirmed in the queue first, and only then taken off. */
async function bringBack(channel: ConfirmChannel): Promise<void> {
  for (let empty = 0; empty < 10; ) {
    const message = await channel.get(deadLetterName(queue));
    if (message === false) {
      // The bridge may still be giving up some.
      empty++;
      await wait(200);
      continue;
    }
    empty = 0;
    const { headers, ...properties } = message.properties;
    channel.publish("", queue, message.content, { ...properties, headers, persistent: true });
    await channel.waitForConfirms();
    channel.ack(message);
  }
}

export const eventFaults = on("graph", [slowConsumer, duplicates, outOfOrder, deadLetters]);
