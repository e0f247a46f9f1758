/** The delivery of one queue's messages to its subscriber: B1 to B3 of bridge.ts. */
import { randomUUID } from "node:crypto";
import type { ConfirmChannel, ConsumeMessage } from "amqplib";
import { attributesFromHttp } from "#host/base/attributes";
import { backoff, pause } from "#host/base/backoff";
import { type ErrorCode, HostError, reasonOf } from "#host/base/errors";
import { headersFromEvent, type PropagatedHeaders } from "#host/base/headers";
import { createCall } from "#host/call/call";
import type { Runtime } from "#host/call/runtime";
import type { Broker } from "#host/events/amqp";
import { publishCopy, withDeath } from "#host/events/dead-letter";
import { deadLetterName } from "#host/events/queue";
import { problemOf } from "#host/http/client";
import { type Logger, logOf } from "#host/telemetry/logger";
import { eventAttributes, queueAttributes } from "#host/telemetry/semantics";
import { readTrace } from "#host/telemetry/trace-context";
import type { RunningOperation } from "#host/telemetry/tracing";
import { type EventRequest, messageToRequest } from "./event-request.ts";

/** A queue, and the function that gets its messages as events. */
export interface Source {
  readonly queue: string;
  readonly to: string;
}

const retryWaits = { firstMs: 100, longestMs: 10_000 };

type Answered =
  | { kind: "delivered" }
  | { kind: "refused" | "failed"; code: ErrorCode; reason: string };

/** What has become of a message, after so many deliveries. */
type Outcome = Answered & { attempts: number };

/** Starts to consume. The returned function stops that, and settles when what is under way has ended. */
export async function startDelivery(
  { queue, to }: Source,
  broker: Broker,
  runtime: Runtime,
): Promise<() => Promise<void>> {
  const stopping = new AbortController();
  const underWay = new Map<Promise<void>, number>();
  let consumer: { channel: ConfirmChannel; tag: string } | undefined;

  const settle = async (message: ConsumeMessage, channel: ConfirmChannel): Promise<void> => {
    const received = receive(message, queue, runtime);
    const { operation } = received;
    try {
      const outcome = await deliver(received, to, runtime, stopping.signal);
      if (outcome.kind === "delivered") channel.ack(message);
      else if (stopping.signal.aborted && outcome.kind === "failed") {
        operation.event("message.requeued");
        channel.nack(message);
      } else {
        const death = { ...outcome, traceId: received.traceId };
        const to = { exchange: deadLetterName(queue), routingKey: "" };
        await publishCopy(channel, to, message, withDeath(message, death));
        channel.ack(message);
        received.log.error(
          { messageId: message.properties.messageId, reason: outcome.reason },
          "message dead-lettered",
        );
        operation.event("message.dead-lettered", { reason: outcome.reason });
        operation.fail(new HostError(outcome.code, outcome.reason));
      }
    } catch (err) {
      // The broker gives it out again, once the channel is gone. An open one would hold the message back, unsettled.
      if (consumer?.channel === channel && !stopping.signal.aborted) broker.renew();
      received.log.warn({ err, messageId: message.properties.messageId }, "not settled");
      operation.event("message.requeued");
      operation.fail(new HostError("ERR_PUBLISH", `not settled (${reasonOf(err)})`));
    } finally {
      operation.end();
    }
  };

  await broker.use({
    queue,
    async onChannel(channel) {
      // Of each consumer by itself, whatever else consumes on the channel.
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

  return async () => {
    stopping.abort();
    await consumer?.channel.cancel(consumer.tag).catch(() => {});
    await Promise.all(underWay.keys());
  };
}

/** A message that is being processed. */
interface Received {
  readonly messageId: unknown;
  /** Undefined where no request can be made of it, and why. */
  readonly request: EventRequest | undefined;
  readonly refusal: string;
  /** Of the process span, for each delivery. */
  readonly headers: PropagatedHeaders;
  readonly operation: RunningOperation;
  readonly traceId: string | undefined;
  readonly log: Logger;
}

function receive(message: ConsumeMessage, queue: string, runtime: Runtime): Received {
  const { request, refusal } = convert(message, queue);
  const headers = runtime.admission.headersOf({
    "x-request-id": randomUUID(),
    ...headersFromEvent(attributesFromHttp(request?.headers ?? {})),
  });
  const { messageId } = message.properties;
  const operation = runtime.tracing.begin(
    {
      kind: "consumer",
      name: `process ${queue}`,
      attributes: {
        ...queueAttributes(queue, { name: "process", type: "process" }),
        ...(messageId && { "messaging.message.id": String(messageId) }),
        "messaging.message.body.size": message.content.length,
        "faas.trigger": "pubsub",
      },
    },
    { headers },
  );
  const trace = operation.trace ?? readTrace(headers).parent;
  const log = logOf(runtime.log, headers, trace);
  return { messageId, request, refusal, headers, operation, traceId: trace?.traceId, log };
}

function convert(message: ConsumeMessage, queue: string) {
  try {
    return { request: messageToRequest(message, queue), refusal: "" };
  } catch (thrown) {
    return { request: undefined, refusal: `not a CloudEvent: ${(thrown as Error).message}` };
  }
}

/** When the event says that it came about, or else when the message was sent; ms since the epoch. */
function sentAt({ properties }: ConsumeMessage): number | undefined {
  const time = Date.parse(String(properties.headers?.["ce-time"]));
  const times = [time, Number(properties.timestamp ?? Number.NaN) * 1_000];
  return times.find(Number.isFinite);
}

async function deliver(
  received: Received,
  to: string,
  runtime: Runtime,
  stopping: AbortSignal,
): Promise<Outcome> {
  const { messageId, operation, log } = received;
  const { bridgeAttempts } = runtime.config;
  for (let attempt = 1; ; attempt++) {
    const answered = await post(received, to, runtime);
    // What is no request was not delivered.
    const outcome: Outcome = { ...answered, attempts: received.request ? attempt : 0 };
    if (outcome.kind !== "failed") return outcome;
    const { reason } = outcome;
    log.warn({ messageId, attempt, reason }, "delivery failed");
    if (attempt >= bridgeAttempts || stopping.aborted) return outcome;
    const waitMs = backoff(attempt, retryWaits);
    operation.event("retry", { attempt, reason, wait_ms: waitMs });
    await pause(waitMs, stopping);
    if (stopping.aborted) return outcome;
  }
}

async function post(received: Received, to: string, runtime: Runtime): Promise<Answered> {
  const { request, refusal, headers, operation, log } = received;
  if (!request) return { kind: "refused", code: "ERR_BAD_REQUEST", reason: refusal };
  const { deadlineMs: timeoutMs } = runtime.config;
  const call = createCall({ headers, timeoutMs, log }).with({ operation });
  const attributes = eventAttributes(attributesFromHttp(request.headers));
  try {
    const message = { method: "POST", path: "/", template: "/", attributes, ...request } as const;
    const answer = await runtime.send(to, message, call);
    if (answer.status >= 200 && answer.status < 300) return { kind: "delivered" };
    const { code, message: detail, retryable } = problemOf(to, answer);
    const kind = retryable ? "failed" : "refused";
    return { kind, code, reason: `${answer.status}: ${detail}` };
  } catch (thrown) {
    const { code, message: reason } = HostError.from(thrown);
    return { kind: "failed", code, reason };
  } finally {
    call.end();
  }
}
