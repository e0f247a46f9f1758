/** A broker and a database for one contender alone, so that no other takes its messages. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { startMongoDb } from "../local/services/mongodb.ts";
import { startRabbitMq } from "../local/services/rabbitmq.ts";
import { testOptions } from "../local/services/testing.ts";

export type DatabaseKind = "null" | "real";

export interface Backing extends AsyncDisposable {
  /** Hidden folder, gone with it. */
  readonly folder: string;
  readonly env: { readonly RABBITMQ_URL: string; readonly MONGODB_URL: string };
}

const nullDatabase = fileURLToPath(new URL("null-database.ts", import.meta.url));

export async function startBacking(database: DatabaseKind): Promise<Backing> {
  await using stack = new AsyncDisposableStack();
  const { options } = stack.use(await testOptions());
  const { url: rabbit } = await startRabbitMq(options);
  const mongo =
    database === "real"
      ? (await startMongoDb(options)).url
      : stack.use(await spawnNullDatabase()).url;
  const moved = stack.move();
  return {
    folder: options.dataDir,
    env: { RABBITMQ_URL: rabbit, MONGODB_URL: mongo },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/** The null database in a process of its own, as a real one is. */
export async function spawnNullDatabase() {
  const child = spawn(process.execPath, [nullDatabase], { stdio: ["pipe", "pipe", "inherit"] });
  const closed = once(child, "close");
  const [line] = await once(child.stdout, "data");
  return {
    url: `mongodb://127.0.0.1:${String(line).trim()}`,
    async [Symbol.asyncDispose]() {
      child.kill();
      await closed;
    },
  };
}
