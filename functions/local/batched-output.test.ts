import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { until } from "../test/support/until.ts";
import { batchedOutput } from "./batched-output.ts";

test("what comes within a moment is written at once, in its order", async () => {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk, _, done) {
      written.push(String(chunk));
      done();
    },
  });
  const { write, flush } = batchedOutput(stream);
  write("one ");
  write("two");
  await until("it is written", () => written.length > 0);
  write("three");
  flush();
  flush();
  assert.deepEqual(written, ["one two", "three"]);
});
