import { http } from "@google-cloud/functions-framework";
import { answering, createGreeting, greetingsOf } from "./greetings.mjs";

http(
  "service-e",
  answering(async () => {
    const below = await Promise.all([
      greetingsOf("SERVICE_G_ADDRESS"),
      greetingsOf("SERVICE_H_ADDRESS"),
    ]);
    return [...below.flat(), createGreeting("Service-E", "Bonjour, de Service-E!")];
  }),
);
