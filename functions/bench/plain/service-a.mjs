import { http } from "@google-cloud/functions-framework";
import { answering, createGreeting, greetingsOf } from "./greetings.mjs";

http(
  "service-a",
  answering(async () => {
    const below = await Promise.all([
      greetingsOf("SERVICE_B_ADDRESS"),
      greetingsOf("SERVICE_C_ADDRESS"),
    ]);
    return [...below.flat(), createGreeting("Service-A", "Hello, from Service-A!")];
  }),
);
