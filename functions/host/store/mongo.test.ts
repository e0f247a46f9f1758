import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { test } from "node:test";
import { MongoClient } from "mongodb";
import { saveTo } from "#host";
import type { Entry } from "#host/kinds/effects";
import { ask } from "../../test/support/ask.ts";
import { startEffectHost, unique } from "../../test/support/effect-host.ts";
import { useDatabase } from "../../test/support/services.ts";
import { testCall } from "../../test/support/test-call.ts";

interface Note extends Entry {
  text: string;
}

const url = await useDatabase();
const noteOf = (id: string): Note => ({ id, text: `text of ${id}` });
const range = (count: number) => Array.from({ length: count }, (_, i) => `id-${i}`);

/** A store of its own for each test, at the database or at a gate before it. */
async function startStore(at = url) {
  const database = unique("test");
  const MONGODB_URL = new URL("/?directConnection=true", at).href;
  const {
    host,
    effect: store,
    ...rest
  } = await startEffectHost(saveTo<Note>(`${database}.notes`), {
    MONGODB_URL,
  });
  const stored = async () => {
    await using client = new MongoClient(url);
    return await client.db(database).collection<{ _id: string }>("notes").find().toArray();
  };
  const orders = async () => {
    await using client = new MongoClient(url);
    const indexes = await client.db(database).collection("notes").indexes();
    return indexes.map(({ key }) => key);
  };
  return { ...rest, host, store, stored, orders };
}

test("a save that has settled is in the database, as it was", async () => {
  await using sut = await startStore();
  using call = testCall();
  await sut.store.apply(noteOf("a"), call);
  const [document, ...others] = await sut.stored();
  const { savedAt, ...rest } = document as unknown as { savedAt: Date };
  assert.deepEqual(rest, { _id: "a", text: "text of a" });
  assert.ok(savedAt instanceof Date);
  assert.deepEqual(others, []);
});

test("saves that come together are each stored", async () => {
  await using sut = await startStore();
  using call = testCall();
  const ids = range(200);
  await Promise.all(ids.map((id) => sut.store.apply(noteOf(id), call)));
  const found = (await sut.stored()).map(({ _id }) => _id);
  assert.deepEqual(found.sort(), ids.sort());
});

test("saves that come together share inserts, whose sizes are shown", async () => {
  await using sut = await startStore();
  using call = testCall();
  await Promise.all(range(200).map((id) => sut.store.apply(noteOf(id), call)));
  const { text } = await ask(sut.host.port, "/metrics");
  const figure = (what: string) =>
    Number(
      new RegExp(`^db_client_operation_batch_size_${what}{.*_name="notes".* (\\d+)$`, "m").exec(
        text,
      )?.[1],
    );
  assert.equal(figure("sum"), 200);
  assert.ok(figure("count") < 20, text);
});

test("the same id twice is one document, and both saves succeed", async () => {
  await using sut = await startStore();
  using call = testCall();
  const ids = ["a", "b", "a", "c", "a"];
  await Promise.all(ids.map((id) => sut.store.apply(noteOf(id), call)));
  await sut.store.apply({ id: "b", text: "changed" }, call);
  const found = await sut.stored();
  assert.deepEqual(found.map(({ _id }) => _id).sort(), ["a", "b", "c"]);
  assert.ok(!found.some((document) => JSON.stringify(document).includes("changed")));
});

const deep = Array.from({ length: 250 }).reduce<object>((inner) => ({ inner }), {});

for (const [what, content] of [
  ["that is too large", { text: "x".repeat(17 * 1024 * 1024) }],
  ["with a key that has a NUL", { text: "", "a\u0000b": 1 }],
  ["with a key that BSON keeps for itself", { text: "", inner: { _bsontype: "none" } }],
  ["that is nested too deep", { text: "", deep }],
] as const) {
  test(`a document ${what} is refused alone, and those beside it are stored`, async () => {
    await using sut = await startStore();
    using call = testCall();
    const [bad, good] = await Promise.allSettled([
      sut.store.apply({ id: "bad", ...content }, call),
      sut.store.apply(noteOf("good"), call),
    ]);
    assert.equal(bad.status === "rejected" && bad.reason.code, "ERR_BAD_REQUEST");
    assert.equal(good.status, "fulfilled");
    const found = (await sut.stored()).map(({ _id }) => _id);
    assert.deepEqual(found, ["good"]);
  });
}

test("the entries saved last come first, as many as are asked for", async () => {
  await using sut = await startStore();
  using call = testCall();
  for (const id of ["a", "b", "c"]) await sut.store.apply(noteOf(id), call);
  assert.deepEqual(await sut.store.bind(call).latest(2), [noteOf("c"), noteOf("b")]);
  assert.deepEqual(await sut.store.bind(call).latest(10), ["c", "b", "a"].map(noteOf));
});

test("an index has the entries in the order in which the last ones are read", async () => {
  await using sut = await startStore();
  using call = testCall();
  await sut.store.apply(noteOf("a"), call);
  assert.deepEqual(await sut.orders(), [{ _id: 1 }, { savedAt: -1, _id: -1 }]);
});

test("saves whose connection ends as they are written are stored, and so are those after them", async () => {
  const sockets = new Set<Socket>();
  const seen = (message: unknown) => void sockets.add((message as { socket: Socket }).socket);
  subscribe("net.client.socket", seen);
  await using sut = await startStore();
  using call = testCall();
  await sut.store.apply(noteOf("before"), call);
  unsubscribe("net.client.socket", seen);
  // What an end by the server does: destroyed at once, while "close" is heard only later in this turn of the loop.
  setImmediate(() => {
    for (const socket of sockets) socket.destroy();
  });
  await sut.store.apply(noteOf("meanwhile"), call);
  await sut.store.apply(noteOf("after"), call);
  const found = (await sut.stored()).map(({ _id }) => _id);
  assert.deepEqual(found.sort(), ["after", "before", "meanwhile"]);
});

test("a namespace without a collection is a configuration error", async () => {
  const starting = startEffectHost(saveTo<Note>("notes"), { MONGODB_URL: url });
  await assert.rejects(starting, { code: "ERR_CONFIG", message: /database\.collection/ });
});
