import { setTimeout as delay } from "node:timers/promises";
import amqp, { type ChannelModel, type ConfirmChannel } from "amqplib";
import { HostError, reasonOf } from "#host/base/errors";

/** Of the broker's refusals: RESOURCE_LOCKED and NOT_FOUND. */
const locked = 405;
const notFound = 404;

const lockWaitMs = 10_000;

/** Throws ERR_PUBLISH when the broker is away. */
export async function connectTo(url: string): Promise<ChannelModel> {
  const clientProperties = { connection_name: "dead letters" };
  try {
    const connection = await amqp.connect(url, { clientProperties, timeout: 5_000 });
    // The operation that is under way throws; without a listener the event would end the process.
    connection.on("error", () => {});
    return connection;
  } catch (thrown) {
    const detail = `RabbitMQ is unreachable (${reasonOf(thrown)})`;
    throw new HostError("ERR_PUBLISH", detail, { cause: thrown });
  }
}

export async function openChannel(
  connection: ChannelModel,
): Promise<{ channel: ConfirmChannel } & AsyncDisposable> {
  const channel = await connection.createConfirmChannel();
  // What the broker closes it for is thrown by the operation that was refused.
  channel.on("error", () => {});
  return {
    channel,
    async [Symbol.asyncDispose]() {
      await channel.close().catch(() => {});
    },
  };
}

/** Messages that wait in the queue; undefined where there is no such queue. */
export async function countOf(
  connection: ChannelModel,
  queue: string,
): Promise<number | undefined> {
  await using opened = await openChannel(connection);
  try {
    return (await opened.channel.checkQueue(queue)).messageCount;
  } catch (thrown) {
    if (codeOf(thrown) === notFound) return undefined;
    throw thrown;
  }
}

/**
 * Keeps other processes away from the queue, as long as they take this lock too: an exclusive queue, which the broker
 * deletes with the connection, however that ends.
 */
export async function takeLock(connection: ChannelModel, queue: string): Promise<AsyncDisposable> {
  const name = `${queue}.lock`;
  const end = performance.now() + lockWaitMs;
  for (;;) {
    const opened = await openChannel(connection);
    try {
      await opened.channel.assertQueue(name, { exclusive: true, durable: false });
      return {
        async [Symbol.asyncDispose]() {
          await opened.channel.deleteQueue(name).catch(() => {});
          await opened[Symbol.asyncDispose]();
        },
      };
    } catch (thrown) {
      if (codeOf(thrown) !== locked) throw thrown;
      if (performance.now() > end) {
        const detail = `another dead-letters command is at work on ${queue}; try again when it has ended`;
        throw new HostError("ERR_PUBLISH", detail, { cause: thrown });
      }
      await delay(100);
    }
  }
}

function codeOf(thrown: unknown): unknown {
  return (thrown as { code?: unknown }).code;
}
