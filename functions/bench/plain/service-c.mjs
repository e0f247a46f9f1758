import { http } from "@google-cloud/functions-framework";
import { collection } from "./collection.mjs";
import { answering, createGreeting } from "./greetings.mjs";

const greetings = collection("service-c", "greetings");

http(
  "service-c",
  answering(async () => {
    const greeting = createGreeting("Service-C", "Konnichiwa, from Service-C!");
    const { id, ...rest } = greeting;
    await greetings.insertOne({ _id: id, ...rest });
    return [greeting];
  }),
);
