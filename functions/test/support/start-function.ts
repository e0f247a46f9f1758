/** One function for its own test, with all that it needs: its callees, a broker and a database, all real. */
import assert from "node:assert/strict";
import { after } from "node:test";
import { connect } from "amqplib";
import { MongoClient } from "mongodb";
import type { Definition } from "#host";
import { declareQueue } from "#host/events/queue";
import { type Deployable, loadFunctions } from "../../local/discover.ts";
import { type Asked, ask } from "./ask.ts";
import { useBroker, useDatabase } from "./services.ts";
import { startTestHost, type TestHost } from "./test-host.ts";
import { until } from "./until.ts";

export interface StartedFunction {
  readonly host: TestHost;
  /** Sends a request to a route: "POST /api/orders"; `body` goes as JSON. */
  request(route: string, body?: unknown): Promise<Asked>;
  /** Hands it an event, as the bridge does. */
  event(event: { id: string; type: string; data?: unknown }): Promise<Asked>;
  /** Waits until a collection ("database.collection") has the entry, and compares it with what is expected of it. */
  saved(namespace: string, expected: { id: string; [field: string]: unknown }): Promise<void>;
  /** Waits for a message that has everything that is expected of its event. */
  published(queue: string, expected: object): Promise<void>;
}

interface Services {
  readonly broker: string | undefined;
  readonly database: string | undefined;
}

/** Until the test file ends. */
export async function startFunction(definition: Definition): Promise<StartedFunction> {
  const below = belowOf(definition, await loadFunctions());
  const closing: (() => Promise<unknown>)[] = [];
  // Registered before the broker's own end, which must come after it.
  after(async () => {
    for (const close of closing.reverse()) await close();
  });
  const uses = (wanted: string) =>
    [{ definition }, ...below].some(({ definition }) =>
      definition?.effects.some(({ system }) => system === wanted),
    );
  const services: Services = {
    broker: uses("rabbitmq") ? await useBroker() : undefined,
    database: uses("mongodb") ? await useDatabase() : undefined,
  };
  const published = await followQueues(definition, services, closing);
  const callees: Record<string, string> = {};
  const start = async (definition: Definition | undefined, name: string) => {
    const host = await startTestHost(definition, {
      callees,
      env: {
        FUNCTION_TARGET: name,
        ...(services.broker && { RABBITMQ_URL: services.broker }),
        ...(services.database && { MONGODB_URL: services.database }),
      },
    });
    closing.push(async () => host[Symbol.asyncDispose]());
    callees[name] = host.address;
    return host;
  };
  for (const { name, definition } of below) await start(definition, name);
  const host = await start(definition, definition.name);
  const json = { "content-type": "application/json" };
  return {
    host,
    request(route, body) {
      const [method = "", path = ""] = route.split(" ");
      const content = body === undefined ? {} : { body: JSON.stringify(body), headers: json };
      return ask(host.port, path, { method, ...content });
    },
    event({ id, type, data }) {
      const attributes = { "ce-specversion": "1.0", "ce-source": "/test", "ce-id": id };
      const headers = { ...attributes, "ce-type": type, ...json };
      return ask(host.port, "/", { method: "POST", headers, body: JSON.stringify(data) });
    },
    async saved(namespace, { id, ...expected }) {
      assert.ok(services.database, "the function saves nothing");
      const [database, ...collection] = namespace.split(".");
      await using client = await MongoClient.connect(services.database);
      const find = () =>
        client.db(database).collection<{ _id: string }>(collection.join(".")).findOne({ _id: id });
      await until(`${id} in ${namespace}`, find);
      assert.partialDeepStrictEqual(await find(), expected);
    },
    published,
  };
}

/** Every function below, callees before their callers. */
function belowOf({ calls }: Definition, functions: readonly Deployable[]): Deployable[] {
  const all = calls.flatMap(({ name }) => {
    const found = functions.find((one) => one.name === name);
    if (!found) return [];
    return [...(found.definition ? belowOf(found.definition, functions) : []), found];
  });
  return [...new Set(all)];
}

/** Keeps what comes to the queues that the function publishes to. */
async function followQueues(
  { effects }: Definition,
  { broker }: Services,
  closing: (() => Promise<unknown>)[],
): Promise<StartedFunction["published"]> {
  const events: { queue: string; event: object }[] = [];
  if (broker) {
    const connection = await connect(broker);
    closing.push(() => connection.close());
    const channel = await connection.createChannel();
    for (const { system, destination: queue } of effects) {
      if (system !== "rabbitmq") continue;
      await declareQueue(channel, queue);
      await channel.consume(
        queue,
        (message) => {
          if (message) events.push({ queue, event: eventOf(message) });
        },
        { noAck: true },
      );
    }
  }
  return async (queue, expected) => {
    const here = () => events.filter((one) => one.queue === queue).map(({ event }) => event);
    await until(`${JSON.stringify(expected)} in the queue ${queue}`, () =>
      here().some((event) => holds(event, expected)),
    );
  };
}

function eventOf(message: {
  content: Buffer;
  properties: { headers?: object | undefined };
}): object {
  const attributes = Object.entries(message.properties.headers ?? {}).map(([name, value]) => [
    name.replace(/^ce-/, ""),
    value,
  ]);
  return { ...Object.fromEntries(attributes), data: JSON.parse(message.content.toString()) };
}

function holds(event: object, expected: object): boolean {
  try {
    assert.partialDeepStrictEqual(event, expected);
    return true;
  } catch {
    return false;
  }
}
