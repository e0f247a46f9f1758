/**
 * The broker and the database of the unit tests: those that TEST_RABBITMQ_URL and TEST_MONGODB_URL
 * name, or else private ones for this test file. Where none can be had, the file fails and says why.
 */
import { after } from "node:test";
import { startMongoDb } from "../../local/services/mongodb.ts";
import { startRabbitMq } from "../../local/services/rabbitmq.ts";
import type { RunningService, ServiceOptions } from "../../local/services/service.ts";
import { testOptions } from "../../local/services/testing.ts";

export const brokerVariable = "TEST_RABBITMQ_URL";
export const databaseVariable = "TEST_MONGODB_URL";

/** The URL of a broker, until the test file ends. */
export function useBroker(): Promise<string> {
  return use(brokerVariable, startRabbitMq);
}

/** The URL of a database, until the test file ends. */
export function useDatabase(): Promise<string> {
  return use(databaseVariable, startMongoDb);
}

async function use(
  variable: string,
  start: (options: ServiceOptions) => Promise<RunningService>,
): Promise<string> {
  const url = process.env[variable];
  if (url) return url;
  const fixture = await testOptions();
  after(() => fixture[Symbol.asyncDispose]());
  return (await start(fixture.options)).url;
}
