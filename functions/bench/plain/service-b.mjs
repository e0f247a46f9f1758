import { http } from "@google-cloud/functions-framework";
import { answering, createGreeting, greetingsOf } from "./greetings.mjs";

http(
  "service-b",
  answering(async () => {
    const below = await Promise.all([
      greetingsOf("SERVICE_D_ADDRESS"),
      greetingsOf("SERVICE_E_ADDRESS"),
    ]);
    return [...below.flat(), createGreeting("Service-B", "Namaste, from Service-B!")];
  }),
);
