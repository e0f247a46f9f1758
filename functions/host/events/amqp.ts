/**
 * One AMQP 0.9.1 connection with one confirm channel for everything that a function does with queues, kept for
 * the process's life.
 *
 * A1 While it is `up`, the channel is open and every queue in use is declared.
 * A2 A channel that closes takes its connection along, so that there is one way to recover:
 *    amqplib's, which opens both anew, with growing, jittered waits.
 * A3 Opening never rejects for a broker that is away: that is a `problem()` until it is back.
 */
import amqp, { type ChannelModel, type ConfirmChannel } from "amqplib";
import { HostError, reasonOf } from "../base/errors.ts";
import type { Resource } from "../base/resource.ts";
import type { Runtime } from "../call/runtime.ts";
import type { QueueFigures } from "../telemetry/metrics.ts";
import { deadLetterName, declareQueue } from "./queue.ts";

export interface Broker extends Resource {
  /** Declares the queue on the channel, and on each that comes after it. */
  use(use: QueueUse): Promise<void>;
  /** The open channel; waits for one that is just being opened, and throws ERR_PUBLISH when there is none. */
  channel(): Promise<ConfirmChannel>;
  /** Gives up the channel for a new one, which declares the queues again. */
  renew(): void;
}

export interface QueueUse {
  readonly queue: string;
  /** Called with each new channel, once the queue is declared and before it counts as open. */
  onChannel?(channel: ConfirmChannel): Promise<void> | void;
}

export type BrokerRuntime = Pick<Runtime, "name" | "config" | "log"> &
  Partial<Pick<Runtime, "metrics">>;

type State =
  | { kind: "down"; reason: string }
  | { kind: "up"; channel: ConfirmChannel; connection: ChannelModel };

/** The longest wait between two tries, and so the longest that a request waits for a broker that is away. */
const longestWaitMs = 1_000;

/** The shortest that RabbitMQ advises: https://www.rabbitmq.com/docs/heartbeats */
const heartbeatSeconds = 5;
const brokers = new WeakMap<BrokerRuntime, Promise<Broker>>();

/** The function's one broker, opened with its first use. */
export function openBroker(runtime: BrokerRuntime): Promise<Broker> {
  const known = brokers.get(runtime);
  if (known) return known;
  const broker = connect(runtime);
  brokers.set(runtime, broker);
  return broker;
}

async function connect(runtime: BrokerRuntime): Promise<Broker> {
  const { log } = runtime;
  const uses: QueueUse[] = [];
  let state: State = { kind: "down", reason: "not connected yet" };
  let waiting = Promise.withResolvers<void>();
  let closed: Promise<void> | undefined;

  const down = (reason: string) => {
    if (state.kind === "up" && !closed) {
      log.warn({ reason }, "RabbitMQ is not reachable");
      waiting = Promise.withResolvers<void>();
    }
    state = { kind: "down", reason };
  };

  const start = async (use: QueueUse | undefined, channel: ConfirmChannel) => {
    if (!use) return;
    await declareQueue(channel, use.queue);
    await use.onChannel?.(channel);
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
    for (let i = 0; i < uses.length; i++) await start(uses[i], channel);
    state = { kind: "up", channel, connection };
    log.info({ queues: uses.map(({ queue }) => queue) }, "RabbitMQ is reachable");
    waiting.resolve();
  };

  const connection = await amqp.connect(withHeartbeat(runtime.config.rabbitmqUrl ?? ""), {
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

  runtime.metrics?.watchQueues(async () => {
    const queues = uses.flatMap(({ queue }) => [queue, deadLetterName(queue)]);
    return state.kind === "up" ? lookAt(new Set(queues), state.connection) : [];
  });

  return {
    name: "RabbitMQ",
    async use(use) {
      uses.push(use);
      // A queue that cannot be declared closes the channel, which is how it is seen and tried again.
      if (state.kind === "up") await start(use, state.channel).catch(() => {});
    },
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
    close() {
      closed ??= connection.close();
      return closed;
    },
  };
}

/**
 * RabbitMQ itself proposes a minute, after two of which a connection is given up whose far end is gone without a word. A URL that
 * names an interval keeps it.
 */
function withHeartbeat(url: string): string {
  if (!URL.canParse(url) || new URL(url).searchParams.has("heartbeat")) return url;
  const own = new URL(url);
  own.searchParams.set("heartbeat", String(heartbeatSeconds));
  return own.href;
}

/** As many of the queues as there are, from the first on. */
async function lookAt(queues: Iterable<string>, connection: ChannelModel): Promise<QueueFigures[]> {
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
