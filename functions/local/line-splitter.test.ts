import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { eachLine } from "./line-splitter.ts";

async function linesOf(chunks: readonly (string | Buffer)[]): Promise<string[]> {
  const stream = new PassThrough();
  const lines: string[] = [];
  eachLine(stream, (line) => lines.push(line));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await once(stream, "close");
  return lines;
}

test("lines come as they were written, however they were cut on their way", async () => {
  const [first, second] = [Buffer.from("größe").subarray(0, 3), Buffer.from("größe").subarray(3)];
  assert.deepEqual(await linesOf(["one\ntw", "o\r\n", "\n", first, second, "\nlast"]), [
    "one",
    "two",
    "",
    "größe",
    "last",
  ]);
});

test("a long output is read to its end", async () => {
  const text = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`);
  const lines = await linesOf([text.join("")]);
  assert.deepEqual([lines.length, lines[0], lines.at(-1)], [20_000, "line 0", "line 19999"]);
});
