import { MongoClient } from "mongodb";
import { backoff, pause } from "../base/backoff.ts";
import { reasonOf } from "../base/errors.ts";
import type { Runtime } from "../call/runtime.ts";

export interface Database {
  readonly client: MongoClient;
  reachable(): boolean;
  /** "MongoDB is unreachable", and why as far as it is known; undefined where it is reachable. */
  problem(): string | undefined;
  /**
   * Gives what the driver does an end: its signal aborts when the database is lost, or does not answer in time.
   * Without it a command never settles whose connection ends just before it is written: the driver then waits for
   * the "drain" of a socket that is gone.
   */
  limit<R>(work: (signal: AbortSignal) => Promise<R>): Promise<R>;
  /** To be called once by each that opened it; closes with the last. */
  close(): Promise<void>;
}

/** For one command, where connections are made and servers are looked for, too. */
const longestCommandMs = 10_000;
const reconnect = { firstMs: 100, longestMs: 2_000 };
const databases = new WeakMap<Runtime, { database: Database; users: number }>();

/** The function's one client, opened with its first use. */
export function openDatabase(runtime: Runtime): Database {
  const known = databases.get(runtime) ?? { database: connect(runtime), users: 0 };
  known.users++;
  databases.set(runtime, known);
  const { database } = known;
  return {
    ...database,
    async close() {
      known.users--;
      if (known.users === 0) await database.close();
    },
  };
}

function connect({ name, config, log }: Runtime): Database {
  const client = new MongoClient(config.mongodbUrl ?? "", {
    appName: name,
    // How long an operation waits for a database that is away: short, so that its caller learns why.
    serverSelectionTimeoutMS: Math.min(2_000, config.deadlineMs / 2),
    connectTimeoutMS: 2_000,
    heartbeatFrequencyMS: 1_000,
    // By itself the driver polls where it sees K_SERVICE, as on Knative, and then stays away for good from a
    // replica set that was away.
    serverMonitoringMode: "stream",
    maxPoolSize: 8,
  });
  let reachable = false;
  let reason = "not connected yet";
  const commands = new Set<AbortController>();
  const closing = new AbortController();
  client.on("topologyDescriptionChanged", ({ newDescription }) => {
    const servers = [...newDescription.servers.values()];
    const now = servers.some(({ type }) => type !== "Unknown");
    const failed = servers.find(({ error }) => error);
    if (failed) reason = reasonOf(failed.error);
    if (now !== reachable) log.info({ reachable: now }, `MongoDB is ${now ? "" : "not "}reachable`);
    reachable = now;
    if (!now)
      for (const command of commands) command.abort(new Error(`connection lost (${reason})`));
  });

  // Connected at once, for readiness; an operation that comes before that connects as well.
  const opened = (async () => {
    for (let attempt = 1; !closing.signal.aborted; attempt++) {
      try {
        await client.connect();
        return;
      } catch (err) {
        reason = reasonOf(err);
        if (attempt === 1) log.warn({ reason }, "MongoDB is away, trying on");
        await pause(backoff(attempt, reconnect), closing.signal);
      }
    }
  })();

  return {
    client,
    reachable: () => reachable,
    problem: () => (reachable ? undefined : `MongoDB is unreachable (${reason})`),
    async limit(work) {
      const command = new AbortController();
      const ms = Math.min(longestCommandMs, config.deadlineMs / 2);
      const timer = setTimeout(() => command.abort(new Error(`no answer within ${ms} ms`)), ms);
      commands.add(command);
      try {
        return await work(command.signal);
      } finally {
        clearTimeout(timer);
        commands.delete(command);
      }
    },
    async close() {
      closing.abort();
      await client.close();
      await opened;
    },
  };
}
