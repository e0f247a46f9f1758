/** A broker and a database for one contender alone, so that no other takes its messages. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { startMongoDb } from "../local/services/mongodb.ts";
import { startRabbitMq } from "../local/services/rabbitmq.ts";
import { testOptions } from "../local/services/testing.ts";
import { treeOf } from "./processes.ts";

export type DatabaseKind = "null" | "real";

export type BackingPids = Readonly<Record<"broker" | "database", readonly number[]>>;

export interface Backing extends AsyncDisposable {
  /** Hidden folder, gone with it. */
  readonly folder: string;
  /** With their helpers; empty where they were there already. */
  pids(): BackingPids;
  readonly env: { readonly RABBITMQ_URL: string; readonly MONGODB_URL: string };
}

const nullDatabase = fileURLToPath(new URL("null-database.ts", import.meta.url));

/** `env` may name a broker that is there already: RABBITMQ_URL. */
export async function startBacking(
  database: DatabaseKind,
  env?: NodeJS.ProcessEnv,
): Promise<Backing> {
  await using stack = new AsyncDisposableStack();
  const { options } = stack.use(await testOptions(env));
  const rabbit = await startRabbitMq(options);
  const mongo =
    database === "real" ? await startMongoDb(options) : stack.use(await spawnNullDatabase());
  const moved = stack.move();
  return {
    folder: options.dataDir,
    pids: () => ({ broker: descendants(rabbit.pid), database: descendants(mongo.pid) }),
    env: { RABBITMQ_URL: rabbit.url, MONGODB_URL: mongo.url },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

function descendants(pid: number | undefined): number[] {
  return pid === undefined ? [] : treeOf(pid);
}

/** The null database in a process of its own, as a real one is. */
export async function spawnNullDatabase() {
  const child = spawn(process.execPath, [nullDatabase], { stdio: ["pipe", "pipe", "inherit"] });
  const closed = once(child, "close");
  const [line] = await once(child.stdout, "data");
  return {
    pid: child.pid,
    url: `mongodb://127.0.0.1:${String(line).trim()}`,
    async [Symbol.asyncDispose]() {
      child.kill();
      await closed;
    },
  };
}
