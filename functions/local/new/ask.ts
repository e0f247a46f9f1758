import { createInterface } from "node:readline/promises";
import { queuesOf } from "../declarations/rules.ts";
import type { Deployable } from "../discover.ts";
import { listed, type NewOptions } from "./options.ts";

/** Asks for each option, and shows what there is to choose from; nothing typed is none. */
export async function askOptions(
  given: NewOptions,
  functions: readonly Deployable[],
  io: { input: NodeJS.ReadableStream; output: NodeJS.WritableStream },
): Promise<NewOptions> {
  const definitions = functions.flatMap(({ definition }) => definition ?? []);
  const consumed = definitions.map(({ from }) => from);
  const queues = queuesOf(definitions).filter((queue) => !consumed.includes(queue));
  const names = functions.map(({ name }) => name).join(", ");
  const lines = createInterface(io);
  const typed: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  // Not `question`, which loses the lines of an input that is faster than the questions.
  lines.on("line", (line) => {
    const next = waiting.shift();
    if (next) next(line);
    else typed.push(line);
  });
  const ended = new Promise<never>((_, reject) => {
    lines.once("close", () => reject(new Error("The input has ended; nothing was written.")));
  });
  const ask = async (question: string): Promise<string> => {
    lines.setPrompt(`${question}: `);
    lines.prompt();
    const line = typed.shift();
    if (line !== undefined) return line.trim();
    const { promise, resolve } = Promise.withResolvers<string>();
    waiting.push(resolve);
    return (await Promise.race([promise, ended])).trim();
  };
  ended.catch(() => {});
  try {
    const name = given.name ?? (await ask("Name of the function"));
    const routes = listed([await ask(`Routes (as POST /api/${name}, with commas)`)]);
    const calls = listed([
      await ask(`Calls (as grpc:service-g or http:service-c; there is ${names})`),
    ]);
    const saves = listed([await ask(`Saves to (as ${name}.${name})`)]);
    const publishes = listed([await ask("Publishes to the queue")]);
    const free = queues.length > 0 ? `${queues.join(", ")} is free` : "no queue is free";
    const from = (await ask(`Consumes the queue (${free})`)) || undefined;
    const isPublic = /^y/i.test(await ask("Public, reachable from outside the cluster (y/N)"));
    return { ...given, name, routes, calls, saves, publishes, from, public: isPublic };
  } finally {
    lines.close();
  }
}
