import { http } from "@google-cloud/functions-framework";
import { answering, createGreeting } from "./greetings.mjs";
import { declareQueue, openConnection, queue } from "./queue.mjs";

const connection = await openConnection();
const channel = await connection.createConfirmChannel();
await declareQueue(channel);

http(
  "service-d",
  answering(async () => {
    const greeting = createGreeting("Service-D", "Shalom, from Service-D!");
    await new Promise((resolve, reject) => {
      const options = { persistent: true, messageId: greeting.id, contentType: "application/json" };
      channel.sendToQueue(queue, Buffer.from(JSON.stringify(greeting)), options, (error) =>
        error ? reject(error) : resolve(),
      );
    });
    return [greeting];
  }),
);
