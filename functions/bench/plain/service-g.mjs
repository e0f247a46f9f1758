import { http } from "@google-cloud/functions-framework";
import { collection } from "./collection.mjs";
import { answering, createGreeting } from "./greetings.mjs";

const greetings = collection("service-g", "greetings");

http(
  "service-g",
  answering(async () => {
    const greeting = createGreeting("Service-G", "Ahlan, from Service-G!");
    const { id, ...rest } = greeting;
    await greetings.insertOne({ _id: id, ...rest });
    return [greeting];
  }),
);
