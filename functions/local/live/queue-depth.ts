import amqp, { type Channel, type ChannelModel } from "amqplib";

export interface QueueDepth {
  /** Messages that wait in it; null when it is not known. */
  of(queue: string): number | null;
  look(): Promise<void>;
  /**
   * Does work that holds all messages of these queues for a while. Their depths stay as they are: the broker counts no
   * message that is held.
   */
  keep<T>(queues: readonly string[], work: () => Promise<T>): Promise<T>;
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
  const kept = new Set<readonly string[]>();
  let ended = 0;
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
      const before = ended;
      try {
        const answer = await lookAt(queue);
        // Work that ended meanwhile may have held the messages when they were counted.
        const held = ended !== before || [...kept].some((queues) => queues.includes(queue));
        if (answer && !held) depths.set(queue, answer.messageCount);
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
    async keep(queues, work) {
      kept.add(queues);
      try {
        return await work();
      } finally {
        kept.delete(queues);
        ended++;
      }
    },
    async close() {
      closed = true;
      await giveUp();
    },
  };
}
