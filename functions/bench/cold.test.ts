import assert from "node:assert/strict";
import { test } from "node:test";
import { coldLines, greetingC, hello, readyA, readyC, runCold } from "./cold.ts";

test("a cold start is measured of functions from their bundles, beside functions-framework's hello", {
  skip: process.platform !== "linux" && "CPU is read from /proc",
}, async () => {
  const result = await runCold(1, { report() {} });
  assert.deepEqual(Object.keys(result.ms), [hello, readyA, readyC, greetingC]);
  for (const figure of Object.values(result.ms)) assert.ok(figure.median > 0);
  assert.match(coldLines(result).join("\n"), /^functions-framework hello .* 1\.00 /m);
});
