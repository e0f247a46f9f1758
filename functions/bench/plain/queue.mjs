/** The queue between D and F: a quorum queue, as the platform's own is. */
import amqp from "amqplib";

export const queue = "service-d";

export async function openConnection() {
  return amqp.connect(process.env.RABBITMQ_URL);
}

export async function declareQueue(channel) {
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
}
