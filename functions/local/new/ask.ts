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
  const callable = functions.filter(({ definition }) => definition?.routes.length !== 0);
  const names = callable.map(({ name }) => name).join(", ");
  const lines = createInterface(io);
  // Keeps the lines of an input that is faster than the questions, which readline's own `question` loses.
  const typed = lines[Symbol.asyncIterator]();
  let open = true;
  lines.once("close", () => {
    open = false;
  });
  const ask = async (question: string): Promise<string> => {
    lines.setPrompt(`${question}: `);
    if (open) lines.prompt();
    const { value, done } = await typed.next();
    if (done) throw new Error("The input has ended; nothing was written.");
    return value.trim();
  };
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
