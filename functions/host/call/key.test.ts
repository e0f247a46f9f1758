/** The same request, sent again, has the same effects once: by a client's key, and by a caller's second try. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MongoClient } from "mongodb";
import { greeter, grpc, http, saveTo } from "#host";
import { deriveKey, keyHeader, readKey } from "#host/call/key";
import type { Greeting } from "#proto";
import { ask } from "../../test/support/ask.ts";
import { unique } from "../../test/support/effect-host.ts";
import { useDatabase } from "../../test/support/services.ts";
import { startTestHost } from "../../test/support/test-host.ts";

const url = await useDatabase();

test("a key's parts are UUIDs that follow from it, and are all different", () => {
  const [a, again, b, other] = [
    deriveKey("k", "a"),
    deriveKey("k", "a"),
    deriveKey("k", "b"),
    deriveKey("l", "a"),
  ];
  assert.match(a, /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  assert.equal(a, again);
  assert.equal(new Set([a, b, other]).size, 3);
});

for (const [value, key] of [
  ["7c4a8d09", "7c4a8d09"],
  [undefined, undefined],
  ["", undefined],
  ["two words", undefined],
  ["x".repeat(257), undefined],
] as const) {
  test(`${value?.slice(0, 20)} is ${key ? "a key" : "none"}`, () => {
    assert.equal(readKey(value), key);
  });
}

for (const [protocol, edge] of [
  ["http", http("leaf")],
  ["grpc", grpc("leaf")],
] as const) {
  test(`by ${protocol}, greetings that are asked for twice by one key are stored once, and by two keys twice`, async () => {
    const database = unique("keys").replaceAll("-", "");
    const below = greeter({ name: "leaf", greeting: "hi", effects: [saveTo(`${database}.leaf`)] });
    await using leaf = await startTestHost(below, { env: { MONGODB_URL: url } });
    const host = await startTestHost(greeter({ name: "root", greeting: "hello", calls: [edge] }), {
      callees: { leaf: leaf.address },
    });
    const greetings = async (headers: Record<string, string>) => {
      const answer = await ask(host.port, "/api/greeting", { headers });
      assert.equal(answer.status, 200, answer.text);
      return answer.json<{ greeting: Greeting[] }>().greeting.map(({ id }) => id);
    };
    const first = await greetings({ [keyHeader]: "order-1" });
    assert.deepEqual(await greetings({ [keyHeader]: "order-1" }), first);
    assert.equal(new Set([...first, ...(await greetings({ [keyHeader]: "order-2" }))]).size, 4);
    assert.equal(new Set([...(await greetings({})), ...(await greetings({}))]).size, 4);
    await using client = await MongoClient.connect(url);
    assert.equal(await client.db(database).collection("leaf").countDocuments(), 4);
    await host[Symbol.asyncDispose]();
  });
}
