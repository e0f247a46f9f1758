/** The real graph, for system tests: by the same code as `npm start`, on free ports. */
import amqp from "amqplib";
import { MongoClient } from "mongodb";
import { deadLetterName } from "#host/events/queue";
import type { Greeting } from "#proto";
import type { Graph } from "../../local/graph.ts";
import { type GraphOptions, startGraph } from "../../local/launcher.ts";
import type { ServiceOptions } from "../../local/services/service.ts";
import { testOptions } from "../../local/services/testing.ts";
import { useEmptied } from "./services.ts";

export interface TestGraph extends AsyncDisposable {
  graph: Graph;
  /** What the functions and the run have said, to be shown when a test fails. */
  said: string[];
  /** To start services of its own again, after a kill. */
  services: ServiceOptions;
  /** The whole graph's answer through the gateway, or through another function. */
  ask(through?: string): Promise<Answer>;
  fetch(name: string, path: string, init?: RequestInit): Promise<Response>;
}

export interface Answer {
  status: number;
  body: { greeting?: Greeting[]; code?: string; detail?: string };
}

export interface TestGraphOptions
  extends Pick<GraphOptions, "canary" | "entryOf" | "inspect" | "oneProcess" | "spansTo"> {
  /** A broker and a database for this graph alone, which the test may stop. */
  ownServices?: boolean;
}

/**
 * Settles when everything is ready. Its broker and database are those that `env` has URLs of, or those of the
 * test run, emptied.
 */
export async function startTestGraph(
  env: NodeJS.ProcessEnv = {},
  { ownServices = false, ...more }: TestGraphOptions = {},
): Promise<TestGraph> {
  const given = ownServices || env.RABBITMQ_URL ? {} : await useEmptied();
  const data = await testOptions({ LOG_LEVEL: "warn", ...given, ...env });
  const said: string[] = [];
  const graph = await startGraph({
    ...data.options,
    ...more,
    ports: "free",
    logs: (line) => said.push(line),
    report: (line) => said.push(line),
  });
  const fetchFrom: TestGraph["fetch"] = (name, path, init) =>
    fetch(`http://127.0.0.1:${graph.addresses.get(name)}${path}`, init);
  return {
    graph,
    said,
    services: data.options,
    fetch: fetchFrom,
    async ask(through = "gateway") {
      const response = await fetchFrom(through, "/api/greeting");
      return { status: response.status, body: (await response.json()) as Answer["body"] };
    },
    async [Symbol.asyncDispose]() {
      await graph.stop();
      await data[Symbol.asyncDispose]();
    },
  };
}

export interface Stores extends AsyncDisposable {
  /** The documents of a collection, named "database.collection". */
  count(namespace: string): Promise<number>;
  /** The ids that a greeter's collection holds. */
  ids(namespace: string): Promise<Set<string>>;
  /** The ids of the events that F has stored. */
  eventIds(): Promise<Set<string>>;
  /** Messages that wait in a queue of the broker. */
  waiting(queue: string): Promise<number>;
}

/** Looks into the graph's database and broker from outside. */
export async function openStores({ mongo, rabbit }: Graph): Promise<Stores> {
  const client = await MongoClient.connect(mongo.url);
  const broker = await amqp.connect(rabbit.url);
  const channel = await broker.createChannel();
  const collection = (namespace: string) => {
    const [database, name] = namespace.split(".");
    return client.db(database).collection<{ _id: string; event?: { id: string } }>(name ?? "");
  };
  const all = (namespace: string) => collection(namespace).find().toArray();
  return {
    count: (namespace) => collection(namespace).countDocuments(),
    ids: async (namespace) => new Set((await all(namespace)).map(({ _id }) => _id)),
    eventIds: async () => new Set((await all("service-f.messages")).map((m) => m.event?.id ?? "")),
    waiting: async (queue) => (await channel.checkQueue(queue)).messageCount,
    async [Symbol.asyncDispose]() {
      await broker.close();
      await client.close();
    },
  };
}

export const deadLetters = deadLetterName("service-d");

/** Asks until it holds, or throws what it saw last; for what comes about by itself a moment later. */
export async function eventually<T>(
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
  limitMs = 20_000,
): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (performance.now() > end) throw new Error(`still not so: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
