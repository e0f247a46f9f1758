import assert from "node:assert/strict";
import { test } from "node:test";
import { encodableProperties, encodableTable } from "#host/events/encodable";

const time = { "!": "timestamp", value: 1 };
for (const [what, given, expected] of [
  ["a float beyond 64 bits keeps its type", 1e30, { "!": "double", value: 1e30 }],
  ["an infinite number keeps its type", Infinity, { "!": "double", value: Infinity }],
  ["a whole number stays as it is", 2 ** 53, 2 ** 53],
  ["a time stays as it is", time, time],
  [
    "a time beyond 64 bits becomes text",
    { ...time, value: 2 ** 64 },
    `{"!":"timestamp","value":${2 ** 64}}`,
  ],
  ["a sender's own entry named ! becomes text", { "!": "x" }, '{"!":"x"}'],
  [
    "what is in lists and tables is treated alike",
    [{ a: 1e30 }],
    [{ a: { "!": "double", value: 1e30 } }],
  ],
] as const) {
  test(what, () => assert.deepEqual(encodableTable({ a: given }), { a: expected }));
}

test("text that has grown by its decoding is cut to what a property may have", () => {
  const messageId = "\ufffd".repeat(200);
  const { messageId: cut } = encodableProperties({ messageId });
  assert.ok(
    typeof cut === "string" && Buffer.byteLength(cut) <= 255 && cut.length > 80,
    String(cut),
  );
});

test("a timestamp that 64 bits cannot hold is left out", () => {
  assert.deepEqual(encodableProperties({ timestamp: 2 ** 64, type: "t" }), { type: "t" });
});
