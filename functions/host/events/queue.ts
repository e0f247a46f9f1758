import type { Channel } from "amqplib";

/** Where the messages of a queue go that cannot be delivered: an exchange, and a queue of the same name. */
export function deadLetterName(queue: string): string {
  return `${queue}.dead-letter`;
}

/** Says why a message is in the dead-letter queue; the broker's own x-death says only "rejected". */
export const deadLetterReasonHeader = "x-dead-letter-reason";

/**
 * Declares a queue that loses nothing, and its dead-letter exchange and queue. Idempotent.
 * Quorum queues survive a node's loss; at-least-once dead-lettering needs `reject-publish`
 * (https://www.rabbitmq.com/docs/quorum-queues#dead-lettering); the delivery limit ends the
 * circle of a message whose consumer dies of it each time.
 */
export async function declareQueue(channel: Channel, queue: string): Promise<void> {
  const dead = deadLetterName(queue);
  await channel.assertExchange(dead, "fanout", { durable: true });
  await channel.assertQueue(dead, { durable: true, arguments: { "x-queue-type": "quorum" } });
  await channel.bindQueue(dead, dead, "");
  await channel.assertQueue(queue, {
    durable: true,
    arguments: {
      "x-queue-type": "quorum",
      "x-delivery-limit": 20,
      "x-dead-letter-exchange": dead,
      "x-dead-letter-strategy": "at-least-once",
      "x-overflow": "reject-publish",
    },
  });
}
