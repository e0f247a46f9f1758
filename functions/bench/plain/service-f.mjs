import { cloudEvent } from "@google-cloud/functions-framework";
import pino from "pino";
import { collection } from "./collection.mjs";

const log = pino();
const messages = collection("service-f", "messages");

cloudEvent("service-f", async ({ id, source, type, time, data }) => {
  await messages.insertOne({ _id: id, event: { id, source, type, time, data } });
  log.info({ id, type }, "stored");
});
