/** A message that F could not take: listed with its reason, retried, and stored once. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import amqp from "amqplib";
import { deadLetterName } from "#host/events/queue";
import { queuesOf } from "../local/declarations/rules.ts";
import type { DeadLetter, DeadLetterList, LiveGraph } from "../ui/live.ts";
import { ask as askRaw } from "./support/ask.ts";
import { openPage, startBrowser, withoutBrowser } from "./support/browser.ts";
import {
  deadLetters,
  eventually,
  openStores,
  type Stores,
  startTestGraph,
  type TestGraph,
} from "./support/graph.ts";
import { runNode } from "./support/run-function.ts";

const skip = await withoutBrowser();
const command = new URL("../local/dead-letters.ts", import.meta.url).pathname;

describe("dead letters", () => {
  let system: TestGraph;
  let stores: Stores;

  before(async () => {
    system = await startTestGraph({ BRIDGE_ATTEMPTS: "2" });
    stores = await openStores(system.graph);
  });
  after(async () => {
    await stores?.[Symbol.asyncDispose]();
    await system?.[Symbol.asyncDispose]();
  });

  const run = async (...args: string[]) => {
    await using run = runNode([command, ...args], { RABBITMQ_URL: system.graph.rabbit.url });
    return { code: await run.exit, said: run.stdout(), failed: run.stderr() };
  };
  /** A clone may have more of them than the platform. */
  const queues = () =>
    queuesOf(system.graph.functions.flatMap(({ definition }) => definition ?? []));
  const waiting = (count: number) =>
    eventually(
      () => stores.waiting(deadLetters),
      (waiting) => waiting === count,
    );
  /** A greeting whose event F does not get: its id. */
  const ask = async () => {
    const { status, body } = await system.ask();
    assert.equal(status, 200);
    return body.greeting?.[0]?.id ?? "";
  };

  test("are listed with reason, time, deliveries and trace; a retry brings the event to F, once", async () => {
    const f = system.graph.function("service-f");
    await f.stop();
    const id = await ask();
    await waiting(1);

    const list = await run("list");
    assert.equal(list.code, 0, list.failed);
    assert.match(list.said, /^service-d: 1 dead letter$/m);
    const time = "\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z";
    const line = `^  ${id}  com\\.example-api\\.greeting\\.created  ${time}  2 deliveries  trace [\\da-f]{32}$`;
    assert.match(list.said, new RegExp(line, "m"));
    assert.match(list.said, /^ {4}service-f: unreachable at /m);

    const shown = await run("show", id);
    assert.match(shown.said, new RegExp(`^  ce-id: ${id}$`, "m"));
    assert.match(shown.said, /^ {2}"message": "Shalom, from Service-D!"/m);

    // Twice in the queue, as a crash in the middle of a retry leaves it.
    const connection = await amqp.connect(system.graph.rabbit.url);
    const channel = await connection.createConfirmChannel();
    const message = await channel.get(deadLetterName("service-d"));
    assert.ok(message);
    channel.sendToQueue(deadLetterName("service-d"), message.content, message.properties);
    await channel.waitForConfirms();
    await connection.close();
    await waiting(2);

    await f.start();
    await system.graph.ready();
    const retried = await run("retry", id);
    assert.equal(retried.said, `retried service-d: ${id}\n`.repeat(2));
    await eventually(
      () => stores.eventIds(),
      (ids) => ids.has(id),
    );
    await eventually(
      () => stores.waiting("service-d"),
      (waiting) => waiting === 0,
    );
    assert.equal(await stores.count("service-f.messages"), 1);
    await waiting(0);
    assert.equal(
      (await run("list")).said,
      queues()
        .map((queue) => `${queue}: no dead letters\n`)
        .join(""),
    );
  });

  test("are answered to the page, which may retry them, and to no other page", async () => {
    const f = system.graph.function("service-f");
    await f.stop();
    const id = await ask();
    await waiting(1);
    const port = system.graph.addresses.get("ui") ?? 0;
    const path = "/api/live/dead-letters";
    const json = { "content-type": "application/json" };
    const foreign = { ...json, "sec-fetch-site": "cross-site" };
    const post = (query: string, headers: Record<string, string> = json) =>
      askRaw(port, `${path}/retry?${query}`, { method: "POST", headers, body: "{}" });
    assert.equal((await askRaw(port, path, { headers: foreign })).status, 400);
    assert.equal((await post("queue=service-d", foreign)).status, 400);

    await eventually(
      async () => (await askRaw(port, "/api/graph/live")).json<LiveGraph>(),
      ({ nodes }) => nodes.some(({ kind, deadLetters }) => kind === "queue" && deadLetters === 1),
    );
    const lists = (await askRaw(port, path)).json<{ queues: DeadLetterList[] }>().queues;
    assert.deepEqual(lists.map(({ queue }) => queue).sort(), queues().sort());
    const list = lists.find(({ queue }) => queue === "service-d");
    assert.partialDeepStrictEqual(list, {
      total: 1,
      letters: [{ id, attempts: 2, retries: 0 }],
    });
    assert.equal((await post("queue=service-d&id=x")).status, 404);
    assert.equal((await post("queue=nowhere")).status, 404);
    await f.start();
    await system.graph.ready();
    const answer = await post(`queue=service-d&id=${id}`);
    const { retried } = answer.json<{ retried: DeadLetter[] }>();
    assert.deepEqual(
      retried.map((letter) => letter.id),
      [id],
    );
    await eventually(
      () => stores.eventIds(),
      (ids) => ids.has(id),
    );
    await waiting(0);
  });

  test("are listed on the page, whose Retry brings one to F, and nothing is left", {
    skip,
  }, async () => {
    const f = system.graph.function("service-f");
    await f.stop();
    const id = await ask();
    await waiting(1);
    const browser = await startBrowser();
    try {
      const url = `http://localhost:${system.graph.addresses.get("ui")}/`;
      const { page, complaints } = await openPage(browser, url);
      await page.locator("#hits button", { hasText: "dead letters: 1" }).click();
      const items = page.locator("#dead-letters-list > li");
      await items.locator("h4", { hasText: id }).waitFor();
      await items.locator(".reason", { hasText: "service-f: unreachable at " }).waitFor();
      await page.getByRole("button", { name: `of ${id}` }).click();
      await page.locator("#waterfall-spans").getByText("through the queue").first().waitFor();
      await page.keyboard.press("Escape");
      await f.start();
      await system.graph.ready();
      await page.getByRole("button", { name: `Retry ${id}` }).click();
      await page.locator("#dead-letters-result", { hasText: /^1 retried$/ }).waitFor();
      await page.locator("#dead-letters-count", { hasText: /^none$/ }).waitFor();
      assert.equal(await items.count(), 0);
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
    }
    await eventually(
      () => stores.eventIds(),
      (ids) => ids.has(id),
    );
    await waiting(0);
  });

  test("are dropped only with a yes", async () => {
    const f = system.graph.function("service-f");
    await f.stop();
    const id = await ask();
    await waiting(1);
    const refused = await run("drop", id);
    assert.equal(refused.code, 2);
    assert.match(refused.failed, /elsewhere add --yes/);
    await waiting(1);
    const dropped = await run("drop", id, "--yes");
    assert.equal(dropped.said, `dropped service-d: ${id}\n`);
    await waiting(0);
    await f.start();
  });

  test("that are not there are named, and a wrong line is 2", async () => {
    for (const command of ["show", "retry", "drop"]) {
      const { code, failed } = await run(command, "nothing");
      assert.deepEqual([code, failed], [1, "There is no dead letter nothing.\n"]);
    }
    const queue = await run("list", "--queue", "nowhere");
    assert.deepEqual([queue.code, queue.failed], [1, "There is no queue nowhere.dead-letter.\n"]);
    for (const args of [[], ["eat"], ["retry"], ["retry", "x", "--all"], ["list", "x"], ["show"]]) {
      assert.equal((await run(...args)).code, 2, args.join(" "));
    }
  });
});
