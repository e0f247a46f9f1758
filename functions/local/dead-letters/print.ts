/** Dead letters on a terminal. What is in a message is another's text: it moves no cursor and hides no line. */
import { type DeadLetter, type DeadLetterList, deliveriesOf } from "../../ui/live.ts";
import type { FoundLetter } from "./dead-letters.ts";

/** Two lines each: which it is, and why it is here. */
export function listText({ queue, total = 0, letters }: DeadLetterList): string {
  if (total === 0) return `${queue}: no dead letters`;
  const shown = letters.length < total ? `, the oldest ${letters.length} of them` : "";
  const title = `${queue}: ${total} dead ${total === 1 ? "letter" : "letters"}${shown}`;
  return [title, ...letters.flatMap(linesOf)].join("\n");
}

function linesOf(letter: DeadLetter): string[] {
  const { id, type, time, traceId, reason } = letter;
  const about = [id, type, time, deliveriesOf(letter), traceId && `trace ${traceId}`];
  const known = about.filter((part) => part !== null && part !== "");
  return [`  ${printable(known.join("  "))}`, `    ${printable(reason)}`];
}

export function nameOf({ queue, id }: DeadLetter): string {
  return printable(`${queue}: ${id}`);
}

/** All of it: what is known, the headers, the body. */
export function letterText({ letter, message }: FoundLetter): string {
  const { queue, id, type, source, reason, time, traceId: trace, bytes } = letter;
  const { headers = {}, contentType = "no content type" } = message.properties;
  const rows = { id, type, source, queue, reason, time, tried: deliveriesOf(letter), trace };
  const known = Object.entries(rows).flatMap(([name, value]) =>
    value === null ? [] : [`${name.padEnd(7)} ${printable(value)}`],
  );
  const named = Object.entries(headers as Record<string, unknown>).map(([name, value]) =>
    printable(`  ${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`),
  );
  const title = printable(`body: ${bytes} bytes, ${contentType}`);
  return [...known, "headers:", ...named, title, bodyText(message.content)].join("\n");
}

function bodyText(content: Buffer): string {
  const text = content.toString();
  // Bytes that are no text are shown as base64, which can be decoded.
  if (!Buffer.from(text).equals(content)) return content.toString("base64");
  try {
    return printable(JSON.stringify(JSON.parse(text), undefined, 2), /[\n\t]/);
  } catch {
    return printable(text, /[\n\t]/);
  }
}

/** Control characters as escapes, and those that change the direction of what follows. */
function printable(text: string, but = /(?!)/): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, (character) =>
    but.test(character)
      ? character
      : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}
