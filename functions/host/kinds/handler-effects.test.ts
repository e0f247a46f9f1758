/** A handler's effects and events, with a real database and a real broker. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { connect } from "amqplib";
import { handler, publishTo, saveTo } from "#host";
import { deadLetterName } from "#host/events/queue";
import { ask } from "../../test/support/ask.ts";
import { unique } from "../../test/support/effect-host.ts";
import { useBroker, useDatabase } from "../../test/support/services.ts";
import { startTestHost, type TestHostOptions } from "../../test/support/test-host.ts";
import { until } from "../../test/support/until.ts";

after(() => connection.close());
const RABBITMQ_URL = await useBroker();
const MONGODB_URL = await useDatabase();
const connection = await connect(RABBITMQ_URL);
const channel = await connection.createChannel();
const env = { RABBITMQ_URL, MONGODB_URL };

async function startOrders(more: TestHostOptions = {}) {
  const queues = [unique("orders"), unique("audit")] as const;
  const definition = handler({
    name: "orders",
    effects: {
      orders: saveTo<{ item: string }>(`${unique("test")}.orders`),
      items: saveTo<{ count: number }>(`${unique("test")}.items`),
      created: publishTo<{ item: string }>(queues[0]),
      audit: publishTo<string>(queues[1]),
    },
    routes: {
      "PUT /api/orders/{id}": {
        async handle({ parameters: { id }, body, effects }) {
          const item = body.toString();
          await effects.orders.save({ id, item });
          await effects.items.save({ id: item, count: 1 });
          const event = await effects.created.publish({
            type: "order.created",
            data: { item },
            id,
          });
          await effects.audit.publish({ type: "audit", data: event, subject: "orders" });
          return { status: 201 };
        },
      },
      "GET /api/orders/{id}": {
        handle: async ({ parameters, effects }) => ({
          body: (await effects.orders.find(parameters.id)) ?? { none: true },
        }),
      },
      "GET /api/orders": {
        handle: async ({ effects }) => ({ body: { orders: await effects.orders.latest(2) } }),
      },
    },
  });
  const host = await startTestHost(definition, { env, ...more });
  await until("readiness", () => host.ready());
  return {
    host,
    queues,
    put: (id: string, body: string) => ask(host.port, `/api/orders/${id}`, { method: "PUT", body }),
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      for (const queue of queues) {
        for (const name of [queue, deadLetterName(queue)]) await channel.deleteQueue(name);
        await channel.deleteExchange(deadLetterName(queue));
      }
    },
  };
}

test("several effects of one kind work side by side, over one connection to each server", async () => {
  await using sut = await startOrders();
  assert.equal((await sut.put("1", "tea")).status, 201);
  assert.equal((await sut.put("2", "cake")).status, 201);
  assert.equal((await sut.put("1", "changed")).status, 201);
  assert.deepEqual((await ask(sut.host.port, "/api/orders/1")).json(), { id: "1", item: "tea" });
  assert.deepEqual((await ask(sut.host.port, "/api/orders/9")).json(), { none: true });
  const { orders } = (await ask(sut.host.port, "/api/orders")).json<{ orders: { id: string }[] }>();
  assert.deepEqual(
    orders.map(({ id }) => id),
    ["2", "1"],
  );

  const message = await channel.get(sut.queues[0], { noAck: true });
  assert.ok(message);
  assert.deepEqual(JSON.parse(message.content.toString()), { item: "tea" });
  assert.partialDeepStrictEqual(message.properties.headers, {
    "ce-id": "1",
    "ce-type": "order.created",
    "ce-source": "/orders",
  });
  const audit = await channel.get(sut.queues[1], { noAck: true });
  assert.ok(audit);
  assert.equal(JSON.parse(audit.content.toString()), "1");
  assert.equal(audit.properties.headers?.["ce-subject"], "orders");

  const { text } = await ask(sut.host.port, "/metrics");
  for (const queue of sut.queues) {
    assert.match(text, new RegExp(`messaging_queue_depth{.*name="${queue}".*} \\d`));
  }
});

test("an effect that fails is answered with the function's name and the server's", async () => {
  await using host = await startTestHost(
    handler({
      name: "orders",
      effects: { orders: saveTo("test.orders") },
      routes: {
        "POST /api/orders": {
          handle: async ({ effects }) => {
            await effects.orders.save({ id: "1" });
            return undefined;
          },
        },
      },
    }),
    { env: { MONGODB_URL: "mongodb://127.0.0.1:1", DEADLINE_MS: "1000" } },
  );
  const answer = await ask(host.port, "/api/orders", { method: "POST" });
  assert.equal(answer.status, 503);
  assert.match(String(answer.json().detail), /^orders: MongoDB is unreachable/);
});

test("events go to the handler of their type, and one without a handler is refused", async () => {
  const seen: unknown[] = [];
  const subscriber = handler({
    name: "invoices",
    from: "orders",
    on: {
      "order.created": async (event, { call, log }) => {
        log.debug("taken");
        seen.push([event.type, event.data, call.headers["x-request-id"]]);
      },
      "order.paid": async () => {
        throw new Error("cannot be booked");
      },
    },
  });
  await using host = await startTestHost(subscriber);
  const post = (type: string) =>
    ask(host.port, "/", {
      headers: { "content-type": "application/cloudevents+json" },
      body: JSON.stringify({
        ...{ specversion: "1.0", id: "1", source: "/orders", type, xrequestid: "r1" },
        time: new Date().toISOString(),
        data: { item: "tea" },
      }),
    });
  assert.equal((await post("order.created")).status, 204);
  const { text } = await ask(host.port, "/metrics");
  assert.match(text, /cloudevents_delivery_lag_seconds_count{service_name="invoices"} 1/);
  assert.deepEqual(seen, [["order.created", { item: "tea" }, "r1"]]);
  assert.equal((await post("order.paid")).status, 500);
  const refused = await post("order.lost");
  assert.equal(refused.status, 400);
  assert.match(refused.text, /no handler for the event type order\.lost; there is order\.created/);
  assert.equal((await post("toString")).status, 400);
  const none = await ask(host.port, "/", {
    body: "{}",
    headers: { "content-type": "application/json" },
  });
  assert.equal(none.status, 400);
  assert.match(none.text, /not a CloudEvent/);
});
