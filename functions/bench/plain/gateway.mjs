import { http } from "@google-cloud/functions-framework";
import { answering, greetingsOf } from "./greetings.mjs";

http(
  "gateway",
  answering(() => greetingsOf("SERVICE_A_ADDRESS")),
);
