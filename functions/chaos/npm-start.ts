/** `npm start` as a person runs it, in a copy of this clone, with its data. */
import { join } from "node:path";
import { functionNames } from "../local/discover.ts";
import { accepts } from "../local/ports.ts";
import { readRecord } from "../local/services/record.ts";
import { type Command, freeRange, makeClone, startReady } from "../test/support/clone.ts";
import { createLedger } from "./ledger.ts";
import { openStores } from "./stores.ts";
import type { System } from "./system.ts";

export interface NpmStart extends System {
  /** SIGKILL; settles when every process is gone that it had started. Throws when some stay. */
  kill(): Promise<void>;
  /** Settles when everything is ready. */
  start(): Promise<void>;
}

/** Why it would not have a broker and a database of its own here. */
export async function whyNoNpmStart(): Promise<string | undefined> {
  const taken = [await accepts(5672), await accepts(27_017)];
  return taken.some(Boolean)
    ? "npm start would use the broker or database that runs here"
    : undefined;
}

const goneMs = 40_000;

export async function startNpmStart(): Promise<NpmStart> {
  const clone = await makeClone();
  try {
    const port = await freeRange(functionNames().length);
    let running: Command = await startReady(clone, port);
    const urls = Object.fromEntries(
      readRecord(join(clone.folder, ".local")).map(({ name, url }) => [name, url]),
    );
    const stores = openStores({ mongo: urls.MongoDB ?? "", rabbit: urls.RabbitMQ ?? "" });
    return {
      address: new URL(`http://127.0.0.1:${port}`),
      ledger: createLedger(),
      stores,
      async kill() {
        running.signal("SIGKILL");
        await running.ended;
        const end = performance.now() + goneMs;
        while (clone.processes().length > 0) {
          if (performance.now() > end) throw new Error(`left behind: ${clone.processes()[0]}`);
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      },
      async start() {
        running = await startReady(clone, port);
      },
      async [Symbol.asyncDispose]() {
        await stores[Symbol.asyncDispose]();
        running.signal("SIGINT");
        await running.ended;
        await clone[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await clone[Symbol.asyncDispose]();
    throw error;
  }
}
