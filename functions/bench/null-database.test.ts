import assert from "node:assert/strict";
import { test } from "node:test";
import { MongoClient } from "mongodb";
import { startNullDatabase } from "./null-database.ts";

test("the null database acknowledges what the real driver sends, and counts it", async () => {
  await using database = await startNullDatabase();
  await using client = await MongoClient.connect(database.url);
  const things = client.db("shop").collection<{ _id: string }>("things");
  await things.createIndex({ savedAt: -1 });
  assert.deepEqual(await things.insertOne({ _id: "one" }), {
    acknowledged: true,
    insertedId: "one",
  });
  const { insertedCount } = await things.insertMany([{ _id: "two" }, { _id: "three" }], {
    ordered: false,
  });
  assert.equal(insertedCount, 2);
  assert.equal(await things.estimatedDocumentCount(), 3);
  assert.equal(await client.db("shop").collection("others").estimatedDocumentCount(), 0);
  assert.deepEqual(await things.find().toArray(), []);
});

test("the null database takes documents that arrive in many pieces", async () => {
  await using database = await startNullDatabase();
  await using client = await MongoClient.connect(database.url, { maxPoolSize: 1 });
  const texts = client.db("shop").collection("texts");
  const text = "x".repeat(1_000_000);
  await Promise.all([1, 2, 3].map(() => texts.insertOne({ text })));
  assert.equal(await texts.estimatedDocumentCount(), 3);
});

test("the null database refuses a command that it does not know", async () => {
  await using database = await startNullDatabase();
  await using client = await MongoClient.connect(database.url);
  await assert.rejects(client.db("shop").command({ dropDatabase: 1 }), /no such command/);
});
