import amqp, { type Channel, type ChannelModel } from "amqplib";

export interface QueueDepth {
  /** Messages that wait in it; null when it is not known. */
  of(queue: string): number | null;
  look(): Promise<void>;
  close(): Promise<void>;
}

const limitMs = 2_000;

/**
 * Asks the broker by a passive declaration, on one connection that is opened when it is first needed.
 * A broker that is away, or a queue that is not there, is no failure: nothing is known of it then.
 */
export function createQueueDepth(url: string, queues: readonly string[]): QueueDepth {
  const depths = new Map<string, number>();
  let connection: ChannelModel | undefined;
  let channel: Channel | undefined;
  let looking: Promise<void> | undefined;
  let closed = false;

  const giveUp = async () => {
    const old = connection;
    connection = undefined;
    channel = undefined;
    depths.clear();
    // It may be closed already.
    await old?.close().catch(() => {});
  };
  const open = async () => {
    const clientProperties = { connection_name: "live graph" };
    const opened = await amqp.connect(url, { clientProperties, timeout: limitMs });
    if (closed) return void opened.close().catch(() => {});
    connection = opened;
    // "close" follows both; without a listener they would end the process.
    opened.on("error", () => {});
    opened.once("close", () => opened === connection && void giveUp());
  };
  const lookAt = async (queue: string) => {
    if (!connection) await open();
    if (!channel) {
      channel = await connection?.createChannel();
      channel?.on("error", () => {});
    }
    return channel?.checkQueue(queue);
  };
  const look = async () => {
    for (const queue of queues) {
      try {
        const answer = await lookAt(queue);
        if (answer) depths.set(queue, answer.messageCount);
      } catch {
        // The broker closes the channel for a queue that is not there; the others are asked on another.
        depths.delete(queue);
        channel = undefined;
        if (!connection) return;
      }
    }
  };

  return {
    of: (queue) => depths.get(queue) ?? null,
    async look() {
      // A broker that hangs is asked once, not once a second.
      looking ??= look().finally(() => {
        looking = undefined;
      });
      await looking;
    },
    async close() {
      closed = true;
      await giveUp();
    },
  };
}
