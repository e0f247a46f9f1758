/** The database and the broker, as the ledger looks at them: directly, past every proxy. */
import amqp from "amqplib";
import { MongoClient } from "mongodb";
import { deadLetterName } from "#host/events/queue";

export interface Document {
  readonly id: string;
  readonly message: string;
  readonly created: string;
}

export interface StoredEvent {
  readonly id: string;
  readonly message: string | undefined;
  /** The id of the request that caused it. */
  readonly request: string | undefined;
}

export interface Stores extends AsyncDisposable {
  greetings(database: string): Promise<Document[]>;
  events(): Promise<StoredEvent[]>;
  /** Those of D's events that F has stored. */
  storedEvents(ids: readonly string[]): Promise<string[]>;
  /** Messages that wait, in the queue and in its dead-letter queue. */
  waiting(): Promise<{ queue: number; dead: number }>;
}

interface Saved {
  savedAt: Date;
  _id: string;
  message: string;
  created: string;
}

interface Message {
  savedAt: Date;
  _id: string;
  event: { id: string; xrequestid?: string; data?: { message?: string } };
}

export const queue = "service-d";

/**
 * Nothing is connected until something is looked at. What was saved before `since` is not looked at, where others used
 * the system before.
 */
export function openStores(urls: { mongo: string; rabbit: string; since?: Date }): Stores {
  const client = new MongoClient(urls.mongo, { serverSelectionTimeoutMS: 2_000 });
  const ofNow = urls.since ? { savedAt: { $gte: urls.since } } : {};
  const messages = () => client.db("service-f").collection<Message>("messages");
  return {
    async greetings(database) {
      const all = client.db(database).collection<Saved>("greetings").find(ofNow);
      const documents = await all.project<Saved>({ message: 1, created: 1 }).toArray();
      return documents.map(({ _id, message, created }) => ({ id: _id, message, created }));
    },
    async events() {
      const all = await messages().find(ofNow).toArray();
      return all.map(({ event: { id, xrequestid, data } }) => ({
        id,
        message: data?.message,
        request: xrequestid,
      }));
    },
    async storedEvents(ids) {
      const keys = ids.map((id) => `/service-d ${id}`);
      const found = messages().find({ _id: { $in: keys } });
      const stored = await found.project<{ _id: string }>({ _id: 1 }).toArray();
      return stored.map(({ _id }) => _id.slice("/service-d ".length));
    },
    async waiting() {
      const connection = await amqp.connect(urls.rabbit, { timeout: 2_000 });
      connection.on("error", () => {});
      try {
        const channel = await connection.createChannel();
        channel.on("error", () => {});
        const { messageCount } = await channel.checkQueue(queue);
        const { messageCount: dead } = await channel.checkQueue(deadLetterName(queue));
        return { queue: messageCount, dead };
      } finally {
        await connection.close().catch(() => {});
      }
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}
