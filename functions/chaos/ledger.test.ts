import assert from "node:assert/strict";
import { after, test } from "node:test";
import { MongoClient } from "mongodb";
import type { Greeting } from "#proto";
import { useBroker, useDatabase } from "../test/support/services.ts";
import { judge } from "./answer.ts";
import { idsOf } from "./expected.ts";
import { createLedger } from "./ledger.ts";
import type { Asked } from "./load.ts";
import { openStores } from "./stores.ts";

const mongo = await useDatabase();
const rabbit = await useBroker();
const client = new MongoClient(mongo);
const stores = openStores({ mongo, rabbit });
after(async () => {
  await stores[Symbol.asyncDispose]();
  await client.close();
});

const said: Readonly<Record<string, string>> = {
  "Service-D": "Shalom, from Service-D!",
  "Service-G": "Ahlan, from Service-G!",
  "Service-H": "Ciao, from Service-H!",
  "Service-E": "Bonjour, de Service-E!",
  "Service-B": "Namaste, from Service-B!",
  "Service-C": "Konnichiwa, from Service-C!",
  "Service-A": "Hello, from Service-A!",
};
const at = Date.now();
const keepers = ["Service-C", "Service-G", "Service-H"];

/** Those of a request of this id. */
function greetings(request = "one"): Greeting[] {
  const created = new Date(at).toISOString();
  const ids = idsOf(request);
  return Object.entries(said).map(([service, message]) => ({
    id: ids.get(service.toLowerCase()) ?? "",
    service,
    message,
    created,
  }));
}

function answered(all: readonly Greeting[], id = "one"): Asked {
  const text = JSON.stringify({ greeting: all });
  const verdict = judge({ status: 200, type: "application/json", text });
  assert.equal(verdict.kind, "right", JSON.stringify(verdict));
  return { id, sentAt: at - 10, doneAt: at + 10, verdict };
}

const refused: Asked = {
  id: "r",
  sentAt: at - 10,
  doneAt: at + 10,
  verdict: { kind: "refused", detail: "service-a: away" },
};

type Saved = Omit<Greeting, "id" | "service"> & { _id: string };
const collection = (service: string) =>
  client.db(service.toLowerCase()).collection<Saved>("greetings");
const messages = client.db("service-f").collection<{ _id: string; event: object }>("messages");

/** As the functions do it. */
async function store(all: readonly Greeting[], request = "one"): Promise<void> {
  for (const { id, service, message, created } of all) {
    if (keepers.includes(service)) {
      await collection(service).insertOne({ _id: id, message, created });
    } else if (service === "Service-D") {
      const event = { id, xrequestid: request, data: { id, message } };
      await messages.insertOne({ _id: `/service-d ${id}`, event });
    }
  }
}

async function empty(): Promise<void> {
  for (const service of keepers) await collection(service).deleteMany({});
  await messages.deleteMany({});
}

test("a greeting whose four documents are stored is neither lost nor doubled", async () => {
  await empty();
  const ledger = createLedger();
  const all = greetings();
  ledger.add([answered(all)]);
  assert.equal(await ledger.missing(stores, at + 1_000), 1);
  await store(all);
  assert.equal(await ledger.missing(stores, at + 1_000), 0);
  const { lost, doubled, wrong } = await ledger.compare(stores);
  assert.deepEqual([lost, doubled, wrong], [0, 0, 0]);
});

for (const service of [...keepers, "Service-D"]) {
  test(`a greeting of ${service} that was answered and is not stored is lost`, async () => {
    await empty();
    const ledger = createLedger();
    const all = greetings();
    ledger.add([answered(all)]);
    await store(all.filter((one) => one.service !== service));
    const { lost, doubled, examples } = await ledger.compare(stores);
    assert.deepEqual([lost, doubled], [1, 0]);
    assert.match(examples[0] ?? "", /^lost: /);
  });
}

test("a refused request may leave its own document in each collection, and another one is doubled", async () => {
  await empty();
  const ledger = createLedger();
  ledger.add([refused]);
  await store(greetings(refused.id), refused.id);
  assert.equal((await ledger.compare(stores)).doubled, 0);
  await store(
    greetings("another").filter(({ service }) => service === "Service-G"),
    refused.id,
  );
  assert.equal((await ledger.compare(stores)).doubled, 1);
});

test("two events of one request are doubled", async () => {
  await empty();
  const ledger = createLedger();
  const all = greetings();
  ledger.add([answered(all), refused]);
  await store(all, "one");
  await store(
    greetings("r").filter(({ service }) => service === "Service-D"),
    "one",
  );
  assert.equal((await ledger.compare(stores)).doubled, 1);
});

test("an id that two clients got, and a document that differs from the answer, are wrong", async () => {
  await empty();
  const ledger = createLedger();
  const all = greetings();
  await store(all);
  ledger.add([answered(all), answered(all)]);
  assert.equal((await ledger.compare(stores)).wrong, all.length);
  const other = createLedger();
  other.add([answered(all)]);
  const { id } = all.find(({ service }) => service === "Service-C") ?? { id: "" };
  await collection("Service-C").updateOne({ _id: id }, { $set: { message: "another" } });
  assert.equal((await other.compare(stores)).wrong, 1);
});

const problem = (status: number, detail: string) => ({
  status,
  type: "application/problem+json",
  text: JSON.stringify({ status, detail }),
});
for (const [what, answer, kind] of [
  ["503 with the path of hops", problem(503, "service-a > service-b: away"), "refused"],
  ["504 of one hop", problem(504, "service-a: no answer within 5000 ms"), "refused"],
  ["500", problem(500, "service-a: failed"), "wrong"],
  ["503 without a path", problem(503, "Something failed"), "wrong"],
  ["503 that is no problem", { ...problem(503, "service-a: x"), type: "text/html" }, "wrong"],
  ["200 without greetings", { status: 200, type: "application/json", text: "{}" }, "wrong"],
  ["an answer that is cut off", { status: 200, type: "application/json", text: '{"g' }, "wrong"],
] as const) {
  test(`${what} is ${kind}`, () => assert.equal(judge(answer).kind, kind));
}
