/**
 * The broker and the database of the tests: those of the run, which TEST_RABBITMQ_URL and TEST_MONGODB_URL
 * name, or else private ones for this test file. Where none can be had, the file fails and says why.
 */
import { after } from "node:test";
import amqp from "amqplib";
import { MongoClient } from "mongodb";
import { deadLetterName } from "#host/events/queue";
import { loadFunctions } from "../../local/discover.ts";
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

/**
 * The run's broker and database for a whole graph, by the variables that it reads, without what the graph
 * before has left: no database, and none of the declared queues and of `queues`. Empty where the run has none.
 */
export async function useEmptied(...queues: string[]): Promise<NodeJS.ProcessEnv> {
  const { [brokerVariable]: broker, [databaseVariable]: database } = process.env;
  if (!broker || !database) return {};
  const functions = await loadFunctions();
  const declared = functions.flatMap(({ definition }) => definition?.effects ?? []);
  const published = declared.filter(({ system }) => system === "rabbitmq");
  const names = [...published.map(({ destination }) => destination), ...queues];
  const connection = await amqp.connect(broker);
  const channel = await connection.createChannel();
  for (const name of names) {
    await channel.deleteQueue(name);
    await channel.deleteQueue(deadLetterName(name));
  }
  await connection.close();
  await using client = await MongoClient.connect(database);
  for (const { name } of (await client.db().admin().listDatabases()).databases) {
    if (!["admin", "config", "local"].includes(name)) await client.db(name).dropDatabase();
  }
  return { RABBITMQ_URL: broker, MONGODB_URL: database };
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
