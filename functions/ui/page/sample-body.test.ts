import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { sampleOf } from "./sample-body.ts";

const string = { type: "string" };

for (const [what, schema, sample] of [
  [
    "each property of an object",
    {
      type: "object",
      properties: {
        item: string,
        count: { type: "integer", minimum: 1 },
        gift: { type: "boolean" },
        tags: { type: "array", items: string },
      },
    },
    { item: "", count: 1, gift: false, tags: [] },
  ],
  [
    "an object without a type",
    { properties: { a: { properties: { b: string } } } },
    { a: { b: "" } },
  ],
  ["what the schema names", { enum: ["red", "blue"], default: "blue" }, "blue"],
  ["the first example", { type: "string", examples: ["a chair"] }, "a chair"],
  ["a list that must not be empty", { type: "array", minItems: 1, items: string }, [""]],
  ["the first alternative", { anyOf: [{ type: "number" }, string] }, 0],
  ["a number above a limit", { type: "number", exclusiveMinimum: 0 }, 1],
  ["a type of several", { type: ["string", "null"] }, ""],
  ["no schema", undefined, null],
] as const) {
  test(`the sample of a body has ${what}`, () => {
    assert.deepEqual(sampleOf(schema), sample);
  });
}

test("the sample of a zod schema's JSON Schema passes it where values may be empty", () => {
  const schema = z.object({ item: z.string(), count: z.int().min(1), note: z.string().nullable() });
  assert.ok(schema.safeParse(sampleOf(z.toJSONSchema(schema))).success);
});

test("a schema that contains itself has a sample with an end", () => {
  const node: Record<string, unknown> = { type: "object" };
  node.properties = { next: node };
  assert.match(JSON.stringify(sampleOf(node)), /^(\{"next":)+null\}+$/);
});
