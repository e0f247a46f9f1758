/**
 * One broker and one database for a whole run of test files, by `npm test` or by
 * node --test --test-global-setup=functions/test/support/services-setup.ts
 */
import { startMongoDb } from "../../local/services/mongodb.ts";
import { startRabbitMq } from "../../local/services/rabbitmq.ts";
import { testOptions } from "../../local/services/testing.ts";
import { brokerVariable, databaseVariable } from "./services.ts";

let fixture: Awaited<ReturnType<typeof testOptions>> | undefined;

/** Sets the variables that name them. A run inside a test has those of the run around it. */
export async function globalSetup(): Promise<void> {
  if (process.env[brokerVariable] && process.env[databaseVariable]) return;
  fixture = await testOptions();
  const { options } = fixture;
  const [broker, database] = await Promise.all([startRabbitMq(options), startMongoDb(options)]);
  process.env[brokerVariable] = broker.url;
  process.env[databaseVariable] = database.url;
}

export async function globalTeardown(): Promise<void> {
  await fixture?.[Symbol.asyncDispose]();
}
