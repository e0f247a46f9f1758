/** What a dead letter says about itself, and how a message is copied to another queue without a loss. */
import { randomUUID } from "node:crypto";
import type { ConfirmChannel, Message, Options } from "amqplib";
import { HostError, reasonOf } from "../base/errors.ts";
import { encodableProperties, encodableTable } from "./encodable.ts";
import { deadLetterReasonHeader } from "./queue.ts";

/** Headers of a dead letter. The names begin with "x-", so neither Knative's source nor the bridge hands them on. */
export const deadLetterHeaders = {
  reason: deadLetterReasonHeader,
  /** RFC 3339, UTC. */
  time: "x-dead-letter-time",
  /** Deliveries so far, those before a retry included. */
  attempts: "x-dead-letter-attempts",
  /** The trace of the last delivery. */
  trace: "x-dead-letter-trace",
  /** How often it was retried. */
  retries: "x-dead-letter-retries",
} as const;

/** A copy's own id: a returned message has no other tie to the publication that failed. */
const copyHeader = "x-copy-id";

export interface Death {
  readonly reason: string;
  /** Deliveries since the message was published or retried. */
  readonly attempts: number;
  readonly traceId?: string | undefined;
}

/** The message's headers with those of its death. */
export function withDeath(
  { properties: { headers } }: Pick<Message, "properties">,
  { reason, attempts, traceId }: Death,
): Record<string, unknown> {
  const before = Number(headers?.[deadLetterHeaders.attempts]) || 0;
  return {
    ...headers,
    [deadLetterHeaders.reason]: reason,
    [deadLetterHeaders.time]: new Date().toISOString(),
    [deadLetterHeaders.attempts]: before + attempts,
    ...(traceId && { [deadLetterHeaders.trace]: traceId }),
  };
}

/**
 * Publishes a copy of the message under other headers; settles on the broker's confirm. Throws ERR_PUBLISH where no
 * queue takes it, which the broker would confirm as well. Acknowledge the message only afterwards: a crash between
 * leaves it twice, never not at all.
 */
export function publishCopy(
  channel: ConfirmChannel,
  to: { readonly exchange: string; readonly routingKey: string },
  message: Pick<Message, "content" | "properties">,
  headers: Record<string, unknown>,
): Promise<void> {
  const returned = returnsOf(channel);
  const id = randomUUID();
  const options = {
    ...optionsOf(message),
    headers: encodableTable({ ...keptHeaders(headers), [copyHeader]: id }),
  };
  return new Promise((resolve, reject) => {
    channel.publish(to.exchange, to.routingKey, message.content, options, (error: unknown) => {
      const lost = returned.delete(id);
      if (!error && !lost) return resolve();
      const why = lost ? "there is no such queue" : reasonOf(error);
      const where = to.routingKey || to.exchange;
      const detail = `RabbitMQ did not take the message for ${where} (${why})`;
      reject(new HostError("ERR_PUBLISH", detail, { cause: error }));
    });
  });
}

/**
 * Without what the copy must not have: an expiration, after which the broker would drop it, and the user id of its
 * sender, for which the broker closes the channel of anyone else.
 */
function optionsOf({ properties }: Pick<Message, "properties">): Options.Publish {
  const { expiration: _, userId: __, headers: ___, deliveryMode: ____, ...kept } = properties;
  return { ...encodableProperties(kept), persistent: true, mandatory: true };
}

/** CC and BCC would send the copy to further queues (https://www.rabbitmq.com/docs/sender-selected). */
function keptHeaders({ CC: _, BCC: __, ...headers }: Record<string, unknown>) {
  return headers;
}

const returns = new WeakMap<ConfirmChannel, Set<string>>();

/** The copies that no queue took, from the message's return to its confirm, which follows. */
function returnsOf(channel: ConfirmChannel): Set<string> {
  const known = returns.get(channel);
  if (known) return known;
  const ids = new Set<string>();
  channel.on("return", ({ properties }: Message) => {
    const id = properties.headers?.[copyHeader];
    if (id) ids.add(String(id));
  });
  returns.set(channel, ids);
  return ids;
}
