/** What is measured: a graph of functions, or something that answers like one. */

import { setTimeout as wait } from "node:timers/promises";
import { MongoClient } from "mongodb";
import { freePort } from "../local/ports.ts";
import { ask } from "../local/probe.ts";
import { type Expected, judgeAs } from "./answers.ts";
import type { Backing } from "./backing.ts";
import { type Process, type ProcessOptions, startProcess } from "./processes.ts";

export interface Contender extends AsyncDisposable {
  readonly name: string;
  /** Where the load goes. */
  readonly url: URL;
  readonly expected: Expected;
  /** The functions' processes; empty for what runs elsewhere. */
  readonly processes: readonly Process[];
  /** The port of a function, where one function alone is asked. */
  port(name: string): number | undefined;
  /** Settles when the work that follows the answers is done: until then it would count for the next measurement. */
  settle(): Promise<void>;
  /** Messages that F has stored. */
  stored(): Promise<number>;
}

/** The graph's functions, but ui, which serves a page. */
export const graphNames = [
  "gateway",
  ...["a", "b", "c", "d", "e", "f", "g", "h"].map((letter) => `service-${letter}`),
  "bridge",
] as const;

export interface TreeOptions {
  readonly name: string;
  readonly expected: Expected;
  readonly backing?: Backing;
  /** What each process is, when all have a port. */
  processOf(name: string, ports: ReadonlyMap<string, number>): Omit<ProcessOptions, "name">;
  readonly names?: readonly string[];
}

const readyMs = 60_000;
const settleMs = 20_000;
const path = "/api/v1/greeting";

/** Starts the processes; settles when the gateway gives a right answer. */
export async function startTree(options: TreeOptions): Promise<Contender> {
  const { name, expected, backing, processOf, names = graphNames } = options;
  await using stack = new AsyncDisposableStack();
  if (backing) stack.use(backing);
  const ports = new Map<string, number>();
  for (const one of names) ports.set(one, await unused(ports));
  const processes = names.map((one) =>
    stack.use(startProcess({ name: one, ...processOf(one, ports) })),
  );
  const gateway = ports.get(names[0] ?? "") ?? 0;
  const database = backing && stack.use(new MongoClient(backing.env.MONGODB_URL));
  const count = async (of: string, collection: string) =>
    (await database?.db(of).collection(collection).estimatedDocumentCount()) ?? 0;
  const stored = () => count("service-f", "messages");
  await untilRight(gateway, expected, processes);
  const moved = stack.move();
  return {
    name,
    url: new URL(`http://127.0.0.1:${gateway}${path}`),
    expected,
    processes,
    port: (one) => ports.get(one),
    stored,
    async settle() {
      const end = performance.now() + settleMs;
      while ((await stored()) < (await count("service-c", "greetings"))) {
        if (performance.now() > end) throw new Error(`${name}: messages do not arrive at F`);
        await wait(20);
      }
    },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/** For what somebody else has started. */
export function against(url: URL): Contender {
  const target = url.pathname === "/" ? new URL(path, url) : url;
  return {
    name: url.host,
    url: target,
    expected: "greetings",
    processes: [],
    port: () => undefined,
    stored: async () => 0,
    settle: async () => {},
    async [Symbol.asyncDispose]() {},
  };
}

async function unused(taken: ReadonlyMap<string, number>): Promise<number> {
  const port = await freePort();
  return [...taken.values()].includes(port) ? unused(taken) : port;
}

async function untilRight(port: number, expected: Expected, processes: readonly Process[]) {
  const end = performance.now() + readyMs;
  for (;;) {
    const failed = processes.map((one) => one.failure()).find(Boolean);
    if (failed) throw new Error(failed);
    const { status = 0, body: text = "" } = (await ask(port, path)) ?? {};
    const wrong = judgeAs(expected, { status, type: undefined, text });
    if (wrong === undefined) return;
    if (performance.now() > end) throw new Error(`no right answer within ${readyMs} ms: ${wrong}`);
    await wait(100);
  }
}
