/** What a dead letter says about itself, and how a message is copied to another queue without a loss. */
import { randomUUID } from "node:crypto";
import type { ConfirmChannel, Message, Options } from "amqplib";
import { encodableProperties, encodableTable } from "./encodable.ts";
import { copyHeader, publishMandatory } from "./mandatory.ts";
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
  const copy = {
    ...to,
    content: message.content,
    options: {
      ...optionsOf(message),
      headers: encodableTable({ ...keptHeaders(headers), [copyHeader]: randomUUID() }),
    },
  };
  return publishMandatory(channel, to.routingKey || to.exchange, copy);
}

/**
 * Without what the copy must not have: an expiration, after which the broker would drop it, and the user id of its
 * sender, for which the broker closes the channel of anyone else.
 */
function optionsOf({ properties }: Pick<Message, "properties">): Options.Publish {
  const { expiration: _, userId: __, headers: ___, deliveryMode: ____, ...kept } = properties;
  return encodableProperties(kept);
}

/** CC and BCC would send the copy to further queues (https://www.rabbitmq.com/docs/sender-selected). */
function keptHeaders({ CC: _, BCC: __, ...headers }: Record<string, unknown>) {
  return headers;
}
