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

/**
 * The shortest that RabbitMQ advises: https://www.rabbitmq.com/docs/heartbeats. None under a debugger: a process that
 * it has paused sends none, and would lose its connection.
 */
const heartbeatSeconds = process.execArgv.some((one) => one.startsWith("--inspect")) ? 0 : 5;
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

  let blocked: string | undefined;

  // Logged once per reason: the tries go on every second.
  const down = (reason: string) => {
    if (state.kind === "down" && state.reason === reason) return;
    if (!closed) log.warn({ reason }, "RabbitMQ cannot be used, trying on");
    if (state.kind === "up") waiting = Promise.withResolvers<void>();
    state = { kind: "down", reason };
    blocked = undefined;
  };

  const problem = () => {
    if (state.kind === "down") return `RabbitMQ is unreachable (${state.reason})`;
    return blocked && `RabbitMQ blocks publishers (${blocked})`;
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
    let why = "the channel was closed";
    channel.on("error", (err: Error) => {
      why = reasonOf(err);
    });
    channel.once("close", () => {
      down(withRemedy(why));
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
  connection.on("disconnect", (err: Error) => {
    // Else the channel has said why.
    if (state.kind === "up") down(reasonOf(err));
  });
  connection.on("connect-failed", (err: Error) => down(withRemedy(reasonOf(err))));
  connection.on("blocked", (reason: string) => {
    blocked = reason;
    log.warn({ reason }, "RabbitMQ blocks publishers until its alarm is over");
  });
  connection.on("unblocked", () => {
    blocked = undefined;
    log.info("RabbitMQ takes messages again");
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
      // What is sent to a broker that blocks waits in the socket, and would be published after its call is over.
      if (state.kind === "up" && !blocked) return state.channel;
      throw new HostError("ERR_PUBLISH", problem() ?? "");
    },
    renew() {
      if (state.kind === "down") return;
      const { channel } = state;
      // At once: until the broker confirms the channel's end, it would be handed out again.
      down("the channel is renewed");
      channel.close().catch(() => {});
    },
    problem,
    close() {
      closed ??= connection.close();
      return closed;
    },
  };
}

/** The broker's own words, where it has some, and what to do about a queue that is there with other properties. */
function withRemedy(reason: string): string {
  const [, said = reason] = /with message "(.*)"/s.exec(reason) ?? [];
  const [, queue] = /inequivalent arg .* for (?:queue|exchange) '([^']*)'/.exec(said) ?? [];
  if (queue === undefined) return said;
  return `${said}; somebody else declared ${queue}: empty it and delete it, and it is declared as it must be`;
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
