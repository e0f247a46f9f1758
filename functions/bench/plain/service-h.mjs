import { http } from "@google-cloud/functions-framework";
import { collection } from "./collection.mjs";
import { answering, createGreeting } from "./greetings.mjs";

const greetings = collection("service-h", "greetings");

http(
  "service-h",
  answering(async () => {
    const greeting = createGreeting("Service-H", "Ciao, from Service-H!");
    const { id, ...rest } = greeting;
    await greetings.insertOne({ _id: id, ...rest });
    return [greeting];
  }),
);
