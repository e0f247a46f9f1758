/** What is measured: a graph of functions, or something that answers like one. */

import { setTimeout as wait } from "node:timers/promises";
import { MongoClient } from "mongodb";
import { freePort } from "../local/ports.ts";
import { ask } from "../local/probe.ts";
import { oldHeap } from "../local/small-heap.ts";
import { type Expected, judgeAs } from "./answers.ts";
import type { Backing, BackingPids } from "./backing.ts";
import { type Process, type ProcessOptions, startProcess } from "./processes.ts";

export interface Contender extends AsyncDisposable {
  readonly name: string;
  /** Where the load goes. */
  readonly url: URL;
  readonly expected: Expected;
  /** The functions' processes; empty for what runs elsewhere. */
  readonly processes: readonly Process[];
  /** Of its broker and database. */
  backingPids(): BackingPids;
  /** The port of a function, where one function alone is asked. */
  port(name: string): number | undefined;
  /**
   * Settles when F has stored the messages of this many answers: until then that work would count for the next
   * measurement. To be called after each load.
   */
  settle(answers: number): Promise<void>;
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
  /** Of the first one, where it answers. */
  readonly path?: string;
}

const noPids: BackingPids = { broker: [], database: [] };
const readyMs = 60_000;
const settleMs = 20_000;
const missionPath = "/api/v1/greeting";

/** Starts the processes; settles when the gateway gives a right answer. */
export async function startTree(options: TreeOptions): Promise<Contender> {
  const { name, expected, backing, processOf, names = graphNames, path = missionPath } = options;
  await using stack = new AsyncDisposableStack();
  if (backing) stack.use(backing);
  const ports = new Map<string, number>();
  for (const one of names) ports.set(one, await unused(ports));
  const processes = names.map((one) => {
    const { args, ...rest } = processOf(one, ports);
    return stack.use(startProcess({ name: one, ...rest, args: [oldHeap, ...args] }));
  });
  const gateway = ports.get(names[0] ?? "") ?? 0;
  const database = backing && stack.use(new MongoClient(backing.env.MONGODB_URL));
  const stored = async () =>
    (await database?.db("service-f").collection("messages").estimatedDocumentCount()) ?? 0;
  await untilRight(gateway, path, expected, processes);
  let known = database ? await steady(stored) : 0;
  const moved = stack.move();
  return {
    name,
    url: new URL(`http://127.0.0.1:${gateway}${path}`),
    expected,
    processes,
    backingPids: () => backing?.pids() ?? noPids,
    port: (one) => ports.get(one),
    async settle(answers) {
      if (!database) return;
      const end = performance.now() + settleMs;
      while ((await stored()) < known + answers) {
        if (performance.now() > end) throw new Error(`${name}: messages do not arrive at F`);
        await wait(20);
      }
      known = await stored();
    },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/** For what somebody else has started. */
export function against(url: URL): Contender {
  const target = url.pathname === "/" ? new URL(missionPath, url) : url;
  return {
    name: url.host,
    url: target,
    expected: "greetings",
    processes: [],
    backingPids: () => noPids,
    port: () => undefined,
    settle: async () => {},
    async [Symbol.asyncDispose]() {},
  };
}

async function unused(taken: ReadonlyMap<string, number>): Promise<number> {
  const port = await freePort();
  return [...taken.values()].includes(port) ? unused(taken) : port;
}

/** What the first answers have sent may still be on its way. */
async function steady(count: () => Promise<number>): Promise<number> {
  for (let before = 0; ; ) {
    const now = await count();
    if (now > 0 && now === before) return now;
    before = now;
    await wait(300);
  }
}

async function untilRight(
  port: number,
  path: string,
  expected: Expected,
  processes: readonly Process[],
) {
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
