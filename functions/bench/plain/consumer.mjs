/** Brings the messages of the queue to F: no function, but a small process beside them. */
import { declareQueue, openConnection, queue } from "./queue.mjs";

const connection = await openConnection();
const channel = await connection.createChannel();
await declareQueue(channel);
await channel.prefetch(32);
await channel.consume(queue, async (message) => {
  if (!message) return;
  try {
    const response = await fetch(`http://${process.env.SERVICE_F_ADDRESS}/`, {
      method: "POST",
      headers: {
        "content-type": message.properties.contentType,
        "ce-specversion": "1.0",
        "ce-id": message.properties.messageId,
        "ce-source": "/service-d",
        "ce-type": "greeting.created",
      },
      body: message.content,
    });
    await response.arrayBuffer();
    if (response.ok) channel.ack(message);
    else channel.nack(message);
  } catch {
    channel.nack(message);
  }
});
