import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Greeting } from "#proto";
import { askByGrpc } from "./support/ask-by-grpc.ts";
import {
  type Answer,
  deadLetters,
  eventually,
  openStores,
  type Stores,
  startTestGraph,
  type TestGraph,
} from "./support/graph.ts";
import { load } from "./support/load.ts";

/** Callees before their caller, in declared order. */
const expected = "D G H E B C A".split(" ").map((letter) => `Service-${letter}`);
const collections = ["service-c.greetings", "service-g.greetings", "service-h.greetings"];
const full = process.env.LOAD === "full";
const size = full ? { requests: 2_000, concurrency: 50 } : { requests: 300, concurrency: 50 };

describe("the graph", () => {
  let system: TestGraph;
  let stores: Stores;

  before(async () => {
    system = await startTestGraph();
    stores = await openStores(system.graph);
  });
  after(async () => {
    await stores?.[Symbol.asyncDispose]();
    await system?.[Symbol.asyncDispose]();
  });

  test("answers with seven greetings in order, each with an id of its own", async () => {
    const { status, body } = await system.ask();
    assert.equal(status, 200);
    assert.deepEqual(services(body), expected);
    assert.equal(new Set(ids(body)).size, 7);
    for (const { id, created } of body.greeting ?? []) {
      assert.match(id, /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
      assert.equal(new Date(created).toISOString(), created);
    }
  });

  test("stores the greetings of C, G and H, and brings D's to F under the same id", async () => {
    const { body } = await system.ask();
    for (const namespace of collections) {
      const service = namespace
        .slice(0, "service-x".length)
        .replace(/^s|-./g, (s) => s.toUpperCase());
      assert.ok((await stores.ids(namespace)).has(idOf(body, service)), namespace);
    }
    const look = async () => {
      const response = await system.fetch("gateway", "/api/services/service-f/messages?limit=5");
      return (await response.json()) as { messages: { id: string; data: Greeting }[] };
    };
    const wanted = idOf(body, "Service-D");
    const { messages } = await eventually(look, (m) => m.messages.some(({ id }) => id === wanted));
    const message = messages.find(({ id }) => id === wanted);
    assert.deepEqual(message?.data, body.greeting?.[0]);
  });

  test(`loses, mixes and repeats nothing in ${size.requests} requests at ${size.concurrency}`, async () => {
    const counted = [...collections, "service-f.messages"];
    const settled = () => Promise.all(counted.map((namespace) => stores.count(namespace)));
    const earlier = await eventually(settled, ([c, , , f]) => c === f);
    const answers = await load(() => system.ask(), size);
    for (const { status, body } of answers) {
      assert.equal(status, 200, JSON.stringify(body));
      assert.deepEqual(services(body), expected);
    }
    const all = answers.flatMap(({ body }) => ids(body));
    assert.equal(new Set(all).size, size.requests * 7);
    const grown = earlier.map((count) => count + size.requests);
    const now = await eventually(settled, (counts) => counts.at(-1) === grown.at(-1));
    assert.deepEqual(now, grown);
    assert.equal(await stores.waiting(deadLetters), 0);
  });

  test("answers the same request over HTTP and gRPC on each function's one port", async () => {
    for (const { name, definition } of system.graph.functions) {
      if (!definition?.routes.some((route) => route.path === "/api/greeting")) continue;
      const path = name === "gateway" ? "/api/greeting" : "/";
      const overHttp = (await (await system.fetch(name, path)).json()) as Answer["body"];
      const overGrpc = await askByGrpc(system.graph.addresses.get(name) ?? 0);
      assert.deepEqual(services({ greeting: overGrpc }), services(overHttp), name);
    }
  });

  test("triggers any one function through the gateway", async () => {
    for (const letter of "abcdefgh") {
      const path = `/api/services/service-${letter}/greeting`;
      const response = await system.fetch("gateway", path);
      const body = (await response.json()) as Answer["body"];
      assert.equal(services(body).at(-1), `Service-${letter.toUpperCase()}`);
    }
  });

  for (const protocol of ["http", "grpc"]) {
    test(`answers the same with ${protocol} for every call, but for ids and times`, async () => {
      const declared = await system.ask();
      await using other = await startTestGraph({
        CALL_PROTOCOL: protocol,
        RABBITMQ_URL: system.graph.rabbit.url,
        MONGODB_URL: system.graph.mongo.url,
      });
      const answer = await other.ask();
      assert.equal(answer.status, 200);
      assert.equal(withoutIds(answer), withoutIds(declared));
    });
  }
});

function services({ greeting = [] }: Answer["body"]): string[] {
  return greeting.map(({ service }) => service);
}

function ids({ greeting = [] }: Answer["body"]): string[] {
  return greeting.map(({ id }) => id);
}

function idOf(body: Answer["body"], service: string): string {
  return body.greeting?.find((greeting) => greeting.service === service)?.id ?? "";
}

/** The bytes of an answer with each id and time made alike. */
function withoutIds({ body }: Answer): string {
  return JSON.stringify(body)
    .replaceAll(/"id":"[\da-f-]{36}"/g, '"id":"…"')
    .replaceAll(/"created":"[\dTZ:.-]{24}"/g, '"created":"…"');
}
