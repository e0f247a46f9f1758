import { createInterface } from "node:readline/promises";
import type { DeadLetter } from "../../ui/live.ts";
import { UsageError } from "../options.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { DeadLetterOptions } from "./options.ts";
import { letterText, listText, nameOf } from "./print.ts";

export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream;
}

/** Does what the options ask, in each of the queues. Resolves to the exit code: 1 where there is no such message. */
export async function runCommand(
  letters: DeadLetters,
  queues: readonly string[],
  options: DeadLetterOptions,
  { input, output }: Terminal,
): Promise<number> {
  const { command, id, json, yes } = options;
  const say = (text: string) => void output.write(`${text}\n`);

  if (command === "list") {
    const lists = await inEach(queues, (queue) => letters.list(queue, options.limit));
    const { queue } = options;
    if (queue && lists[0]?.total === undefined) return absent(`queue ${queue}.dead-letter`);
    say(json ? JSON.stringify(lists, undefined, 2) : lists.map(listText).join("\n"));
    return 0;
  }
  if (command === "show") {
    const found = (await inEach(queues, (queue) => letters.find(queue, id ?? ""))).flat();
    if (found.length === 0) return absent(`dead letter ${id}`);
    const whole = found.map(({ letter, message }) => ({
      ...letter,
      properties: message.properties,
      content: message.content.toString("base64"),
    }));
    say(json ? JSON.stringify(whole, undefined, 2) : found.map(letterText).join("\n\n"));
    return 0;
  }

  const isAsked = (letter: DeadLetter) => id === undefined || letter.id === id;
  if (command === "retry") {
    const retried = (await inEach(queues, (queue) => letters.retry(queue, isAsked))).flat();
    for (const one of retried) say(`retried ${nameOf(one)}`);
    if (retried.length === 0) return id ? absent(`dead letter ${id}`) : nothing();
    return 0;
  }

  const lists = await inEach(queues, (queue) => letters.list(queue, Number.POSITIVE_INFINITY));
  const doomed = lists.flatMap((list) => list.letters.filter(isAsked));
  if (doomed.length === 0) return id ? absent(`dead letter ${id}`) : nothing();
  if (!yes) {
    if (!input.isTTY) {
      throw new UsageError("drop deletes for good and asks on a terminal; elsewhere add --yes");
    }
    for (const one of doomed) say(nameOf(one));
    if (!(await agrees({ input, output }, doomed.length))) {
      say("Nothing was dropped.");
      return 1;
    }
  }
  // Those that were shown, and none that came since.
  const names = new Set(doomed.map(nameOf));
  const isDoomed = (letter: DeadLetter) => names.has(nameOf(letter));
  const dropped = (await inEach(queues, (queue) => letters.drop(queue, isDoomed))).flat();
  for (const one of dropped) say(`dropped ${nameOf(one)}`);
  return 0;

  function nothing(): number {
    say("There are no dead letters.");
    return 0;
  }
}

async function inEach<T>(
  queues: readonly string[],
  work: (queue: string) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (const queue of queues) results.push(await work(queue));
  return results;
}

async function agrees({ input, output }: Terminal, count: number): Promise<boolean> {
  const lines = createInterface({ input, output });
  try {
    const these = count === 1 ? "this message" : `these ${count} messages`;
    return /^y(es)?$/i.test((await lines.question(`Delete ${these} for good? (y/N) `)).trim());
  } finally {
    lines.close();
  }
}

function absent(what: string): number {
  process.stderr.write(`There is no ${what}.\n`);
  return 1;
}
