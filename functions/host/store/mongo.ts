/**
 * One MongoDB client for every collection of a function, opened at once in the background and kept for the
 * process's life.
 *
 * M1 A save settles only when its own document is acknowledged.
 * M2 A document's `_id` is the entry's id, so a save that is repeated, by us after a lost
 *    connection or by a redelivered message, has no second effect and succeeds.
 * M3 Saves that arrive together share one insert (group commit). What can never be stored is
 *    refused before it joins one, where it would fail the others too.
 */
import { BSON, type Document, WriteConcern } from "mongodb";
import { HostError, reasonOf } from "../base/errors.ts";
import type { Resource } from "../base/resource.ts";
import type { Call } from "../call/call.ts";
import type { Ending } from "../call/ending.ts";
import type { Runtime } from "../call/runtime.ts";
import type { Operation } from "../telemetry/operation.ts";
import { serverOfUrl } from "../telemetry/semantics.ts";
import { createBatch, type Outcome } from "./batch.ts";
import { openDatabase } from "./database.ts";

/** What a handler's code sees of a collection. */
export interface Collection<T> {
  /**
   * Settles when the document is acknowledged. `id` is its key: saving an id that is there already changes
   * nothing. Throws ERR_BAD_REQUEST for what MongoDB cannot hold, ERR_STORE when it is away.
   */
  save(document: T & { readonly id: string }): Promise<void>;
  find(id: string): Promise<(T & { readonly id: string }) | undefined>;
  /** What was saved last, newest first. */
  latest(limit: number): Promise<(T & { readonly id: string })[]>;
}

export interface Store<T> extends Resource {
  apply(entry: { readonly id: string }, call: Call): Promise<void>;
  bind(call: Call): Collection<T>;
}

interface Stored extends Document {
  _id: string;
  savedAt: Date;
}

const duplicateKey = 11_000;
/** In which the entries are read that were saved last. */
const newestFirst = { key: { savedAt: -1, _id: -1 }, name: "savedAt_-1__id_-1" } as const;
const maxDocumentBytes = 16 * 1024 * 1024;
/** A command is one document, too. */
const maxBatchBytes = maxDocumentBytes / 2;
const maxDepth = 100;

/** Never rejects for a database that is away: that is a `problem()` until it is back. */
export function openStore<T>(namespace: string, runtime: Runtime): Store<T> {
  const { config, tracing, metrics } = runtime;
  const [database, collectionName] = namespace.split(/\.(.*)/s, 2);
  if (!database || collectionName === undefined) {
    throw new HostError("ERR_CONFIG", `${namespace}: database.collection is expected`);
  }
  const connection = openDatabase(runtime);
  const db = connection.client.db(database);
  const collection = db.collection<Stored>(collectionName);
  const { writeConcern } = connection.client.options;
  let indexed = false;
  const command = (document: Document) =>
    connection.limit((signal) =>
      db.command(writeConcern ? WriteConcern.apply(document, writeConcern) : document, { signal }),
    );

  const insert = async (documents: readonly Stored[]): Promise<readonly Outcome[]> => {
    // Before the first save, not beside it: SecantusDB 0.7 hangs where both create the collection at once.
    if (!indexed) await command({ createIndexes: collectionName, indexes: [newestFirst] });
    indexed = true;
    // The command itself: insertMany, with its bulk operation, takes half as much CPU again.
    const reply = await command({ insert: collectionName, documents, ordered: false });
    return outcomesOf(reply, documents.length);
  };
  const batch = createBatch<Stored>({
    maxItems: 500,
    maxBytes: maxBatchBytes,
    commit(documents) {
      metrics?.batch(namespace, documents.length);
      return insert(documents).catch((thrown) => {
        // A connection that broke under the insert says nothing about its outcome; M2 lets us ask again.
        if (connection.reachable()) return insert(documents);
        throw thrown;
      });
    },
  });

  const guard = async <R>(work: Promise<R>, ending: Ending, verb: string): Promise<R> => {
    try {
      return await ending.limit(work);
    } catch (thrown) {
      if (ending.reason) throw ending.reason.at("MongoDB");
      // While it is away, the driver's own error may be "Topology is closed", which says nothing about why.
      const failed = `MongoDB could not ${verb} ${namespace} (${reasonOf(thrown)})`;
      throw new HostError("ERR_STORE", connection.problem() ?? failed, { cause: thrown });
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

  const apply: Store<T>["apply"] = ({ id, ...rest }, call) =>
    tracing.run(operation("insert"), call, async (running) => {
      const document = { _id: id, ...rest, savedAt: new Date() };
      const bytes = sizeOfStorable(document);
      const size = await guard(batch.add(document, bytes), call.ending, "save to");
      if (size > 1) running.set({ "db.operation.batch.size": size });
    });
  const read = ({ _id, savedAt: _, ...rest }: Stored) =>
    ({ id: _id, ...rest }) as unknown as T & { id: string };
  const find = <R>(call: Call, work: (signal: AbortSignal) => Promise<R>) =>
    tracing.run(operation("find"), call, () => guard(connection.limit(work), call.ending, "read"));

  return {
    name: "MongoDB",
    problem: connection.problem,
    apply,
    bind: (call) => ({
      save: (document) => apply(document, call),
      async find(id) {
        const found = await find(call, (signal) => collection.findOne({ _id: id }, { signal }));
        return found ? read(found as Stored) : undefined;
      },
      async latest(limit) {
        const saved = await find(call, (signal) =>
          collection.find({}, { signal, sort: newestFirst.key, limit }).toArray(),
        );
        return saved.map((one) => read(one as Stored));
      },
    }),
    async close() {
      await batch.idle();
      await connection.close();
    },
  };
}

/**
 * The document's bytes. Throws ERR_BAD_REQUEST for what no MongoDB takes:
 * https://www.mongodb.com/docs/manual/reference/limits/
 */
function sizeOfStorable(document: Document): number {
  const refuse = (why: string, cause?: unknown) => {
    throw new HostError("ERR_BAD_REQUEST", `cannot be stored: ${why}`, { cause });
  };
  if (isDeeperThan(maxDepth, document)) refuse(`it is nested deeper than ${maxDepth} levels`);
  if (!isWellFormed(document)) refuse("a text of it holds half a surrogate pair");
  let size = 0;
  try {
    size = BSON.serialize(document).length;
  } catch (thrown) {
    refuse(reasonOf(thrown), thrown);
  }
  if (size > maxDocumentBytes) refuse(`it takes more than ${maxDocumentBytes} bytes`);
  return size;
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (!isTree(value)) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

/** An object or a list, and not bytes. */
function isTree(value: unknown): value is object {
  return typeof value === "object" && value !== null && !ArrayBuffer.isView(value);
}

/** UTF-8 cannot hold half a pair: the driver would put U+FFFD in its place. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (!isTree(value)) return true;
  return Object.entries(value).every(([key, inner]) => key.isWellFormed() && isWellFormed(inner));
}

interface InsertReply {
  readonly writeErrors?: readonly { index: number; code: number; errmsg: string }[];
  readonly writeConcernError?: { errmsg: string };
}

/** https://www.mongodb.com/docs/manual/reference/command/insert/#output */
function outcomesOf(
  { writeErrors = [], writeConcernError }: InsertReply,
  count: number,
): Outcome[] {
  // Written, but not as safely as it was asked for.
  if (writeConcernError) throw new Error(writeConcernError.errmsg);
  const outcomes: Outcome[] = new Array(count).fill(undefined);
  for (const { index, code, errmsg } of writeErrors) {
    if (code !== duplicateKey) outcomes[index] = new Error(errmsg);
  }
  return outcomes;
}
