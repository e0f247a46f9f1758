import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { MongoClient } from "mongodb";
import { freePort } from "../ports.ts";
import { startMongoDb } from "./mongodb.ts";
import { readRecord, writeJson } from "./record.ts";
import type { ServiceError } from "./service.ts";
import { allGone, processesOf, startAndCrash, testOptions } from "./testing.ts";

// The first run on a machine may download a server, with all that such a download can meet.
const limits = { timeout: 120_000 };

async function greetings(url: string, add?: string): Promise<string[]> {
  await using client = new MongoClient(url);
  const collection = client.db("test").collection<{ text: string }>("greetings");
  if (add !== undefined) await collection.insertOne({ text: add });
  return (await collection.find().toArray()).map(({ text }) => text);
}

test(
  "a database keeps its documents and its port over a stop, which leaves no process",
  limits,
  async () => {
    await using fixture = await testOptions();
    const { options } = fixture;
    const first = await startMongoDb(options);
    assert.equal(first.owned, true);
    await greetings(first.url, "before the stop");
    const processes = processesOf(options.dataDir);
    await first.stop();
    assert.equal(await allGone(processes), true);
    assert.deepEqual(readRecord(options.dataDir), []);

    const second = await startMongoDb(options);
    assert.equal(second.url, first.url);
    assert.deepEqual(await greetings(second.url), ["before the stop"]);
    const killed = processesOf(options.dataDir);
    await second.kill?.();
    assert.equal(await allGone(killed), true);
  },
);

test("a database left by a crash is taken over with its documents", limits, async () => {
  await using fixture = await testOptions();
  const { options } = fixture;
  await startAndCrash(startMongoDb, "./mongodb.ts", options);
  const [left] = readRecord(options.dataDir);
  await greetings(left?.url ?? "", "before the take-over");
  const service = await startMongoDb(options);
  assert.equal(service.pid, left?.groups.at(-1)?.[0]?.pid);
  assert.deepEqual(await greetings(service.url), ["before the take-over"]);
  const processes = processesOf(options.dataDir);
  await service.stop();
  assert.equal(await allGone(processes), true);
});

test(
  "the preferred port is taken when it is free, and another when it is not",
  limits,
  async () => {
    await using one = await testOptions();
    await using other = await testOptions();
    const port = await freePort();
    const first = await startMongoDb({ ...one.options, port });
    const second = await startMongoDb({ ...other.options, port });
    assert.equal(new URL(first.url).port, String(port));
    assert.notEqual(new URL(second.url).port, String(port));
    await Promise.all([first.stop(), second.stop()]);
  },
);

test(
  "without any way to a database the error lists the ways and says what to type",
  limits,
  async () => {
    await using fixture = await testOptions({ PATH: "" });
    const cacheDir = fixture.options.dataDir; // with nothing in it but the news of a failure
    const failure = { at: Date.now() - 60_000, reason: "no network" };
    writeJson(join(cacheDir, "mongod", "failed.json"), failure);
    await assert.rejects(startMongoDb({ ...fixture.options, cacheDir }), (error: ServiceError) => {
      assert.equal(error.code, "ERR_SERVICE");
      assert.match(
        error.message,
        /download of mongod: it failed within the last day \(no network\)/,
      );
      assert.match(error.message, /SecantusDB from PyPI: python3 is not on PATH/);
      assert.match(error.message, /Type `.*`, or set MONGODB_URL=/);
      return true;
    });
  },
);

test("MONGODB_URL is used as it is, answering or not", limits, async () => {
  const url = `mongodb://greeter:secret@127.0.0.1:${await freePort()}/?serverSelectionTimeoutMS=300`;
  await using fixture = await testOptions({ MONGODB_URL: url });
  const service = await startMongoDb(fixture.options);
  assert.deepEqual([service.url, service.origin, service.owned], [url, "MONGODB_URL", false]);
  assert.match(fixture.lines[0] ?? "", /mongodb:\/\/greeter:\*\*\*@.* does not answer yet/);
});
