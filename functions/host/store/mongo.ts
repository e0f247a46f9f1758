/**
 * One MongoDB client per store, opened at once in the background and kept for the process's life.
 *
 * M1 A save settles only when its own document is acknowledged.
 * M2 A document's `_id` is the entry's id, so a save that is repeated, by us after a lost
 *    connection or by a redelivered message, has no second effect and succeeds.
 * M3 Saves that arrive together share one `insertMany` (group commit). What can never be stored is
 *    refused before it joins one, where it would fail the others too.
 */
import { BSON, type Document, MongoBulkWriteError, MongoClient } from "mongodb";
import { backoff, pause } from "../base/backoff.ts";
import { HostError, reasonOf } from "../base/errors.ts";
import { abortable } from "../call/call.ts";
import type { Runtime } from "../kinds/definition.ts";
import type { Entry, OpenStore } from "../kinds/effects.ts";
import type { Operation } from "../telemetry/operation.ts";
import { serverOfUrl } from "../telemetry/semantics.ts";
import { createBatch, type Outcome } from "./batch.ts";

interface Stored extends Document {
  _id: string;
  savedAt: Date;
}

const duplicateKey = 11_000;
const maxDocumentBytes = 16 * 1024 * 1024;
const maxDepth = 100;
const reconnect = { firstMs: 100, longestMs: 2_000 };

/** Never rejects for a database that is away: that is a `problem()` until it is back. */
export function openStore<T extends Entry>(namespace: string, runtime: Runtime): OpenStore<T> {
  const { config, log, tracing, metrics } = runtime;
  const [database, collectionName] = splitNamespace(namespace);
  const client = new MongoClient(config.mongodbUrl ?? "", {
    appName: runtime.name,
    // How long an operation waits for a database that is away: short, so that its caller learns why.
    serverSelectionTimeoutMS: Math.min(2_000, config.deadlineMs / 2),
    connectTimeoutMS: 2_000,
    heartbeatFrequencyMS: 1_000,
    // By itself the driver polls where it sees K_SERVICE, as on Knative, and then stays away for good from a
    // replica set that was away.
    serverMonitoringMode: "stream",
    maxPoolSize: 8,
  });
  const collection = client.db(database).collection<Stored>(collectionName);
  let reachable = false;
  let indexed = false;
  const closing = new AbortController();

  client.on("topologyDescriptionChanged", ({ newDescription }) => {
    const now = [...newDescription.servers.values()].some(({ type }) => type !== "Unknown");
    if (now !== reachable) log.info({ reachable: now }, `MongoDB is ${now ? "" : "not "}reachable`);
    reachable = now;
  });

  const insert = async (documents: readonly Stored[]): Promise<readonly Outcome[]> => {
    // Before the first save, not beside it: SecantusDB 0.7 hangs where both create the collection at once.
    if (!indexed) await collection.createIndex({ savedAt: -1 });
    indexed = true;
    try {
      await collection.insertMany([...documents], { ordered: false });
      return documents.map(() => undefined);
    } catch (thrown) {
      if (!(thrown instanceof MongoBulkWriteError)) throw thrown;
      return outcomesOf(thrown, documents.length);
    }
  };
  const batch = createBatch<Stored>({
    maxItems: 500,
    commit(documents) {
      metrics?.batch(namespace, documents.length);
      return insert(documents).catch((thrown) => {
        // A connection that broke under the insert says nothing about its outcome; M2 lets us ask again.
        if (reachable) return insert(documents);
        throw thrown;
      });
    },
  });

  // Connected at once, for readiness; an operation that comes before that connects as well.
  const opened = (async () => {
    for (let attempt = 1; !closing.signal.aborted; attempt++) {
      try {
        await client.connect();
        return;
      } catch (err) {
        if (attempt === 1) log.warn({ reason: reasonOf(err) }, "MongoDB is away, trying on");
        await pause(backoff(attempt, reconnect), closing.signal);
      }
    }
  })();

  const guard = async <R>(work: Promise<R>, signal: AbortSignal, verb: string): Promise<R> => {
    try {
      return await abortable(work, signal);
    } catch (thrown) {
      if (signal.aborted) throw HostError.from(signal.reason).at("MongoDB");
      const what = reachable ? `MongoDB could not ${verb} ${namespace}` : "MongoDB is unreachable";
      throw new HostError("ERR_STORE", `${what} (${reasonOf(thrown)})`, { cause: thrown });
    }
  };

  const attributes = {
    "db.system.name": "mongodb",
    "db.namespace": database,
    "db.collection.name": collectionName,
    ...serverOfUrl(config.mongodbUrl, 27_017),
  };
  const operation = (command: string): Operation => ({
    kind: "client",
    name: `${command} ${namespace}`,
    attributes: { ...attributes, "db.operation.name": command },
  });

  return {
    name: "MongoDB",
    problem: () => (reachable ? undefined : "MongoDB is unreachable"),
    apply({ id, ...rest }, call) {
      return tracing.run(operation("insert"), call, async (running) => {
        const document = { _id: id, ...rest, savedAt: new Date() };
        refuseUnstorable(document);
        const size = await guard(batch.add(document), call.signal, "save to");
        if (size > 1) running.set({ "db.operation.batch.size": size });
      });
    },
    latest(limit, call) {
      return tracing.run(operation("find"), call, async () => {
        const newestFirst = collection.find().sort({ savedAt: -1, _id: -1 }).limit(limit);
        const found = await guard(newestFirst.toArray(), call.signal, "read");
        return found.map(({ _id, savedAt: _, ...rest }) => ({ id: _id, ...rest }) as unknown as T);
      });
    },
    async close() {
      await batch.idle();
      closing.abort();
      await client.close();
      await opened;
    },
  };
}

/** Throws ERR_BAD_REQUEST for what no MongoDB takes: https://www.mongodb.com/docs/manual/reference/limits/ */
function refuseUnstorable(document: Document): void {
  const refuse = (why: string, cause?: unknown) => {
    throw new HostError("ERR_BAD_REQUEST", `cannot be stored: ${why}`, { cause });
  };
  if (isDeeperThan(maxDepth, document)) refuse(`it is nested deeper than ${maxDepth} levels`);
  let size = 0;
  try {
    size = BSON.serialize(document).length;
  } catch (thrown) {
    refuse(reasonOf(thrown), thrown);
  }
  if (size > maxDocumentBytes) refuse(`it takes more than ${maxDocumentBytes} bytes`);
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

function splitNamespace(namespace: string): [database: string, collection: string] {
  const dot = namespace.indexOf(".");
  if (dot < 1) throw new HostError("ERR_CONFIG", `${namespace}: database.collection is expected`);
  return [namespace.slice(0, dot), namespace.slice(dot + 1)];
}

/**
 * The driver raises this error for everything that goes wrong under a bulk write, a lost connection
 * too. So it tells of single documents only when it accounts for all of them.
 */
function outcomesOf(error: MongoBulkWriteError, count: number): Outcome[] {
  const failures = [error.writeErrors].flat();
  const accounted = error.insertedCount + failures.length === count;
  if (!accounted || error.result.getWriteConcernError()) throw error;
  const outcomes: Outcome[] = new Array(count).fill(undefined);
  for (const failure of failures) {
    if (failure.code !== duplicateKey) outcomes[failure.index] = new Error(failure.errmsg);
  }
  return outcomes;
}
