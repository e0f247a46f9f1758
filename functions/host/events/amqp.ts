/**
 * One AMQP 0.9.1 connection with one confirm channel, kept for the process's life.
 *
 * A1 While it is `up`, the channel is open and the queue is declared.
 * A2 A channel that closes takes its connection along, so that there is one way to recover:
 *    amqplib's, which opens both anew, with growing, jittered waits.
 * A3 Opening never rejects for a broker that is away: that is a `problem()` until it is back.
 */
import amqp, { type ChannelModel, type ConfirmChannel } from "amqplib";
import { HostError, reasonOf } from "../base/errors.ts";
import type { Resource, Runtime } from "../kinds/definition.ts";
import type { QueueFigures } from "../telemetry/metrics.ts";
import { deadLetterName, declareQueue } from "./queue.ts";

export interface Broker extends Resource {
  /** The open channel; waits for one that is just being opened, and throws ERR_PUBLISH when there is none. */
  channel(): Promise<ConfirmChannel>;
  /** Gives up the channel for a new one, which declares the queue again. */
  renew(): void;
}

export interface BrokerOptions {
  queue: string;
  runtime: Pick<Runtime, "name" | "config" | "log"> & Partial<Pick<Runtime, "metrics">>;
  /** Called with each new channel, before it counts as open: to consume, or to watch returns. */
  onChannel(channel: ConfirmChannel): Promise<void> | void;
}

type State =
  | { kind: "down"; reason: string }
  | { kind: "up"; channel: ConfirmChannel; connection: ChannelModel };

/** The longest wait between two tries, and so the longest that a request waits for a broker that is away. */
const longestWaitMs = 1_000;

export async function openBroker({ queue, runtime, onChannel }: BrokerOptions): Promise<Broker> {
  const { log } = runtime;
  let state: State = { kind: "down", reason: "not connected yet" };
  let waiting = Promise.withResolvers<void>();
  let closed = false;

  const down = (reason: string) => {
    if (state.kind === "up" && !closed) {
      log.warn({ reason }, "RabbitMQ is not reachable");
      waiting = Promise.withResolvers<void>();
    }
    state = { kind: "down", reason };
  };

  const setup = async (connection: ChannelModel) => {
    const channel = await connection.createConfirmChannel();
    // Both are reported by "close" as well; without a listener they would end the process.
    connection.on("error", (err: Error) => log.debug({ err }, "AMQP connection failed"));
    channel.on("error", (err: Error) => log.error({ err }, "RabbitMQ closed the channel"));
    channel.once("close", () => {
      down("the channel was closed");
      connection.close().catch(() => {});
    });
    await declareQueue(channel, queue);
    await onChannel(channel);
    state = { kind: "up", channel, connection };
    log.info({ queue }, "RabbitMQ is reachable");
    waiting.resolve();
  };

  const connection = await amqp.connect(runtime.config.rabbitmqUrl ?? "", {
    clientProperties: { connection_name: runtime.name },
    timeout: 5_000,
    recovery: {
      initialDelay: 100,
      maxDelay: longestWaitMs,
      jitter: 0.5,
      waitForConnect: false,
      setup,
    },
  });
  connection.on("error", (err: Error) => log.debug({ err }, "AMQP connection failed"));
  connection.on("disconnect", (err: Error) => down(reasonOf(err)));
  connection.on("connect-failed", (err: Error) => {
    const reason = reasonOf(err);
    // Said once per reason: the tries go on every second.
    if (state.kind === "up" || state.reason !== reason)
      log.warn({ reason }, "RabbitMQ is away, trying on");
    down(reason);
  });

  const queues = [queue, deadLetterName(queue)];
  runtime.metrics?.watchQueues(async () =>
    state.kind === "up" ? lookAt(queues, state.connection) : [],
  );

  return {
    name: "RabbitMQ",
    async channel() {
      if (state.kind === "down") await Promise.race([waiting.promise, after(2 * longestWaitMs)]);
      if (state.kind === "up") return state.channel;
      throw new HostError("ERR_PUBLISH", `RabbitMQ is unreachable (${state.reason})`);
    },
    renew() {
      if (state.kind === "down") return;
      const { channel } = state;
      // At once: until the broker confirms the channel's end, it would be handed out again.
      down("the channel is renewed");
      channel.close().catch(() => {});
    },
    problem: () => (state.kind === "up" ? undefined : `RabbitMQ is unreachable (${state.reason})`),
    async close() {
      closed = true;
      await connection.close();
    },
  };
}

/** As many of the queues as there are, from the first on. */
async function lookAt(
  queues: readonly string[],
  connection: ChannelModel,
): Promise<QueueFigures[]> {
  const figures: QueueFigures[] = [];
  // On a channel of its own, which a queue that is gone closes.
  const channel = await connection.createChannel();
  channel.on("error", () => {});
  try {
    for (const queue of queues) {
      const { messageCount: depth, consumerCount: consumers } = await channel.checkQueue(queue);
      figures.push({ queue, depth, consumers });
    }
    await channel.close();
  } catch {
    // The broker has closed the channel, or the connection is gone.
  }
  return figures;
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
