/** Two functions that `npm run new` writes, in the running graph, with nothing edited by hand. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { MongoClient } from "mongodb";
import { functionNames } from "../local/discover.ts";
import type { LiveGraph } from "../ui/live.ts";
import {
  type Clone,
  type Command,
  commitAll,
  freeRange,
  makePlatformClone,
  startReady,
} from "./support/clone.ts";
import { eventually } from "./support/graph.ts";
import { load } from "./support/load.ts";
import { useEmptied } from "./support/services.ts";

const size = { requests: 300, concurrency: 20 };

describe("orders and invoices", () => {
  let clone: Clone;
  let start: Command;
  let port: number;
  let mongo: MongoClient;

  before(async () => {
    clone = await makePlatformClone(await useEmptied("orders"));
    commitAll(clone);
    const offers = [
      "--calls",
      "grpc:service-g",
      "--saves",
      "orders.orders",
      "--publishes",
      "orders",
    ];
    for (const args of [
      ["orders", "--route", "POST /api/orders", ...offers],
      ["invoices", "--from", "orders", "--saves", "invoices.invoices"],
    ]) {
      const written = clone.run("new", ...args);
      assert.equal(await written.ended, 0, written.printed());
      assert.match(written.printed(), /npm start\n.*npm run invoke -- .*\n.*npm test -- /);
    }
    // As after an edit by hand: the start renews what it shows.
    clone.exec("git", "checkout", "--quiet", "functions/gateway", "functions/bridge");
    port = await freeRange(functionNames().length + 2);
    start = await startReady(clone, port);
    assert.match(
      start.printed(),
      /^The declared graph has changed; written: .*gateway\/graph.json$/m,
    );
    const [, url = ""] = /MongoDB +(mongodb:\S+)/.exec(start.printed()) ?? [];
    mongo = await MongoClient.connect(url);
  });
  after(async () => {
    await mongo?.close();
    if (start?.child.exitCode === null) start.signal("SIGINT");
    await start?.ended;
    await clone?.[Symbol.asyncDispose]();
  });

  const post = async (text: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/api/services/orders/orders`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text }),
    });
    return { status: response.status, body: (await response.json()) as { id: string } };
  };
  const saved = async (database: "orders" | "invoices", text: string) => {
    const found = mongo.db(database).collection<{ _id: string }>(database).find({ text });
    return (await found.toArray()).map(({ _id }) => _id).sort();
  };

  test("show in the page with every edge", async () => {
    const ui = Number(/^ {2}ui +http:\/\/localhost:(\d+)/m.exec(start.printed())?.[1]);
    const response = await fetch(`http://127.0.0.1:${ui}/api/graph/live`);
    const { nodes, edges } = (await response.json()) as LiveGraph;
    for (const name of ["orders", "invoices"]) {
      assert.equal(nodes.find((node) => node.name === name)?.state, "ready");
    }
    const shown = edges.map(({ from, protocol, to }) => `${from} -${protocol}-> ${to}`);
    for (const edge of [
      "orders -grpc-> service-g",
      "orders -mongodb-> mongodb:orders.orders",
      "orders -amqp-> rabbitmq:orders",
      "rabbitmq:orders -amqp-> bridge",
      "bridge -cloudevents-> invoices",
      "invoices -mongodb-> mongodb:invoices.invoices",
    ]) {
      assert.ok(shown.includes(edge), `${edge}: ${shown.join("\n")}`);
    }
  });

  test("a POST through the gateway is answered, saved, and arrives at invoices within a second", async () => {
    assert.equal((await post("warm")).status, 201);
    const { status, body } = await post("one");
    assert.equal(status, 201);
    assert.deepEqual(await saved("orders", "one"), [body.id]);
    const arrived = await eventually(
      () => saved("invoices", "one"),
      (ids) => ids.length > 0,
      1_000,
    );
    assert.deepEqual(arrived, [body.id]);
  });

  test(`lose none of ${size.requests} POSTs at ${size.concurrency} at a time`, async () => {
    const answers = await load(() => post("many"), size);
    for (const { status, body } of answers) assert.equal(status, 201, JSON.stringify(body));
    const ids = answers.map(({ body }) => body.id).sort();
    assert.equal(new Set(ids).size, size.requests);
    assert.deepEqual(await saved("orders", "many"), ids);
    const arrived = await eventually(
      () => saved("invoices", "many"),
      (found) => found.length >= size.requests,
    );
    assert.deepEqual(arrived, ids);
  });

  test("are called by route, and a route that is not declared is refused with those that are", async () => {
    const invoke = async (...args: string[]) => {
      const command = clone.run("invoke", "orders", ...args);
      return { code: await command.ended, printed: command.printed() };
    };
    const route = ["--route", "POST /api/orders"];
    const done = await invoke(
      ...route,
      "--data",
      '{"text":"by hand"}',
      "--header",
      "x-request-id: r1",
    );
    assert.equal(done.code, 0, done.printed);
    assert.equal((JSON.parse(done.printed) as { text: string }).text, "by hand");
    const bad = await invoke(...route, "--data", "{}");
    assert.equal(bad.code, 1);
    assert.match(bad.printed, /^400 Bad Request$/m);
    assert.match(bad.printed, /"code": "ERR_BAD_REQUEST"/);
    const wrong = await invoke("--route", "GET /api/orders/7");
    assert.equal(wrong.code, 2);
    assert.match(
      wrong.printed,
      /orders has no route GET \/api\/orders\/7; it has\n {2}POST \/api\/orders$/m,
    );
    for (const args of [
      ["--data", "{}"],
      [...route, "--grpc"],
      ["--route", "x"],
      ["--header", "x"],
    ]) {
      assert.equal((await invoke(...args)).code, 2, args.join(" "));
    }
  });

  test("are gone without a trace when their folders are deleted and npm run generate has run", async () => {
    start.signal("SIGINT");
    assert.equal(await start.ended, 0, start.printed());
    for (const name of ["orders", "invoices"]) {
      rmSync(join(clone.folder, "functions", name), { recursive: true });
    }
    const generate = clone.run("generate");
    assert.equal(await generate.ended, 0, generate.printed());
    assert.equal(clone.exec("git", "status", "--porcelain"), "");
  });
});
