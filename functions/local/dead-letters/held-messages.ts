import { setTimeout as delay } from "node:timers/promises";
import type { ConfirmChannel, ConsumeMessage } from "amqplib";

export interface HeldMessages {
  /** For the caller to acknowledge. Those that it does not are held until the channel is closed. */
  readonly messages: AsyncIterable<ConsumeMessage>;
  /** Takes no more; what is held stays so. */
  stop(): Promise<void>;
  /** After `stop`: settles when the broker has done what was acknowledged. */
  settle(): Promise<void>;
}

/** AMQP's largest prefetch. */
const most = 65_535;
/** Where others consume as well, there may be fewer than were counted. */
const idleMs = 2_000;

/**
 * The first `count` messages of a quorum queue. One consumer takes them all: when the channel is closed, the broker
 * puts the messages of one consumer back in order, but those of several, and each `get` is one, in any.
 */
export async function holdMessages(
  channel: ConfirmChannel,
  queue: string,
  count: number,
): Promise<HeldMessages> {
  const waiting: ConsumeMessage[] = [];
  let wake = Promise.withResolvers<void>();
  let ended = false;
  const end = () => {
    ended = true;
    wake.resolve();
  };
  channel.once("close", end);
  // 0 would be no limit.
  await channel.prefetch(Math.min(Math.max(count, 1), most));
  const { consumerTag } = await channel.consume(queue, (message) => {
    // Null: the queue was deleted.
    if (message === null) return end();
    waiting.push(message);
    wake.resolve();
  });

  async function* messages() {
    for (let i = 0; i < count; i++) {
      if (waiting.length === 0 && !ended) {
        wake = Promise.withResolvers();
        await Promise.race([wake.promise, delay(idleMs, undefined, { ref: false })]);
      }
      const message = waiting.shift();
      if (!message) return;
      yield message;
    }
  }
  return {
    messages: messages(),
    stop: async () => void (ended || (await channel.cancel(consumerTag))),
    // The broker's channel keeps acknowledgements back while 32 are under way, and forgets them when it is closed
    // (RabbitMQ 3.10). Both `cancel` and `get` are answered after what was sent before: the first lets those that were
    // kept back go, the second waits for them. A message that it gets goes back with the others.
    settle: async () => void (ended || (await channel.get(queue))),
  };
}
