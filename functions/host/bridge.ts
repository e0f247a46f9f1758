/**
 * Hands each message of a queue to a subscriber as a CloudEvent over HTTP, as Knative's
 * RabbitmqSource does in a cluster.
 *
 * B1 A message is acknowledged only after the subscriber's 2xx, or after the dead-letter exchange
 *    has confirmed it; until then the broker keeps it, and gives it out again when we are gone.
 * B2 What can succeed later is tried again with growing waits; what never can goes to the
 *    dead-letter queue at once. Each such message says why, in a header.
 * B3 Draining takes no more messages, ends the deliveries under way, and gives back those that wait.
 */
import { randomUUID } from "node:crypto";
import type { ConfirmChannel, ConsumeMessage } from "amqplib";
import { backoff, pause } from "./backoff.ts";
import { createCall } from "./call.ts";
import type { Callee, Definition, Runtime } from "./definition.ts";
import { HostError } from "./errors.ts";
import { messageToRequest } from "./event-message.ts";
import { registerFunction } from "./exchange.ts";
import { headersFromEvent } from "./headers.ts";
import { problemOf } from "./http-client.ts";
import { deadLetterName, deadLetterReasonHeader } from "./queue.ts";

export interface BridgeOptions {
  name: string;
  /** The queue that it consumes. */
  queue: string;
  /** The subscriber that gets the events. */
  to: Callee;
}

const retryWaits = { firstMs: 100, longestMs: 10_000 };

type Outcome = { kind: "delivered" } | { kind: "refused" | "failed"; reason: string };

export function bridge({ name, queue, to }: BridgeOptions): Definition {
  registerFunction(name);
  return {
    kind: "bridge",
    name,
    calls: [to],
    effects: [],
    consumes: queue,
    async open(runtime) {
      // Loaded here, since every function imports this file by way of index.ts.
      const { openBroker } = await import("./amqp.ts");
      const stopping = new AbortController();
      const underWay = new Map<Promise<void>, number>();
      let consumer: { channel: ConfirmChannel; tag: string } | undefined;

      const broker = await openBroker({
        queue,
        runtime,
        async onChannel(channel) {
          await channel.prefetch(runtime.config.bridgePrefetch);
          const { consumerTag } = await channel.consume(queue, (message) => {
            // Null: the queue was deleted. A new channel declares it again.
            if (message === null) return void channel.close().catch(() => {});
            const work = settle(message, channel).finally(() => underWay.delete(work));
            underWay.set(work, sentAt(message) ?? Date.now());
          });
          consumer = { channel, tag: consumerTag };
        },
      });

      // The queue hands out the oldest first, so nothing that still waits is older than what is under way.
      runtime.metrics?.watchAge(queue, () => {
        const oldest = Math.min(Date.now(), ...underWay.values());
        return (Date.now() - oldest) / 1_000;
      });

      const settle = async (message: ConsumeMessage, channel: ConfirmChannel): Promise<void> => {
        try {
          const outcome = await deliver(message, queue, to, runtime, stopping.signal);
          if (outcome.kind === "delivered") channel.ack(message);
          else if (stopping.signal.aborted && outcome.kind === "failed") channel.nack(message);
          else await deadLetter(message, outcome.reason, queue, channel, runtime);
        } catch (err) {
          // The channel is gone, and the message with it: the broker gives it out again.
          runtime.log.warn({ err, messageId: message.properties.messageId }, "not settled");
        }
      };

      return {
        routes: [],
        resources: [broker],
        async drain() {
          stopping.abort();
          await consumer?.channel.cancel(consumer.tag).catch(() => {});
          await Promise.all(underWay.keys());
        },
      };
    },
  };
}

/** When the event says that it came about, or else when the message was sent; ms since the epoch. */
function sentAt({ properties }: ConsumeMessage): number | undefined {
  const time = Date.parse(String(properties.headers?.["ce-time"]));
  const times = [time, Number(properties.timestamp ?? Number.NaN) * 1_000];
  return times.find(Number.isFinite);
}

async function deliver(
  message: ConsumeMessage,
  queue: string,
  to: Callee,
  runtime: Runtime,
  stopping: AbortSignal,
): Promise<Outcome> {
  const { bridgeAttempts } = runtime.config;
  for (let attempt = 1; ; attempt++) {
    const outcome = await post(message, queue, to, runtime);
    if (outcome.kind !== "failed") return outcome;
    const { messageId } = message.properties;
    runtime.log.warn({ messageId, attempt, reason: outcome.reason }, "delivery failed");
    if (attempt >= bridgeAttempts || stopping.aborted) return outcome;
    await pause(backoff(attempt, retryWaits), stopping);
    if (stopping.aborted) return outcome;
  }
}

async function post(
  message: ConsumeMessage,
  queue: string,
  to: Callee,
  runtime: Runtime,
): Promise<Outcome> {
  let request: ReturnType<typeof messageToRequest>;
  try {
    request = messageToRequest(message, queue);
  } catch (thrown) {
    return { kind: "refused", reason: `not a CloudEvent: ${(thrown as Error).message}` };
  }
  const attributes = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name.replace(/^ce-/, ""), value]),
  );
  // Faults stay in the event, as with Knative's source: the subscriber draws anew at each attempt.
  const { "x-fault": _, ...headers } = headersFromEvent(attributes);
  const call = createCall({
    headers: { "x-request-id": randomUUID(), ...headers },
    timeoutMs: runtime.config.deadlineMs,
    log: runtime.log,
  });
  try {
    const answer = await runtime.send(to.name, { method: "POST", path: "/", ...request }, call);
    if (answer.status >= 200 && answer.status < 300) return { kind: "delivered" };
    const { message: detail, retryable } = problemOf(to.name, answer);
    return { kind: retryable ? "failed" : "refused", reason: `${answer.status}: ${detail}` };
  } catch (thrown) {
    return { kind: "failed", reason: HostError.from(thrown).message };
  } finally {
    call.end();
  }
}

async function deadLetter(
  message: ConsumeMessage,
  reason: string,
  queue: string,
  channel: ConfirmChannel,
  runtime: Runtime,
): Promise<void> {
  const { headers, ...properties } = message.properties;
  const options = {
    ...properties,
    headers: { ...headers, [deadLetterReasonHeader]: reason },
    persistent: true,
  };
  channel.publish(deadLetterName(queue), "", message.content, options);
  await channel.waitForConfirms();
  channel.ack(message);
  runtime.log.error({ messageId: properties.messageId, reason }, "message dead-lettered");
}
