import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { grpc, HostError, handler } from "#host";
import { ask } from "../../test/support/ask.ts";
import { Orders } from "../../test/support/orders-service.ts";
import { startTestHost } from "../../test/support/test-host.ts";

const orders = handler({
  name: "orders",
  setup: () => ({ next: 1 }),
  grpc: [
    {
      service: Orders,
      methods: {
        async create({ item }, { state }) {
          if (item === "none") throw new HostError("ERR_NOT_FOUND", "orders: there is none");
          if (item === "bug") throw new TypeError("secret");
          if (item === "endless") return new Promise<never>(() => {});
          return { id: `${item}-${state.next++}` };
        },
        async *list({ count }) {
          for (let i = 0; i < count; i++) yield { id: String(i) };
        },
        async sum(amounts) {
          let total = 0;
          for await (const { amount } of amounts) total += amount;
          return { total };
        },
        async *echo(texts) {
          for await (const { text } of texts) yield { text: text.toUpperCase() };
        },
      },
    },
  ],
});

function clientOf(port: number): Client & Disposable {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

function create(client: Client, item: string): Promise<{ id: string }> {
  const { path, requestSerialize, responseDeserialize } = Orders.create;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      { item },
      new Metadata(),
      (error, value) => (error ? reject(error) : resolve(value as { id: string })),
    );
  });
}

test("a unary method answers, and its errors have their status and code", async () => {
  await using host = await startTestHost(orders, { env: { DEADLINE_MS: "200" } });
  using client = clientOf(host.port);
  assert.deepEqual(await create(client, "tea"), { id: "tea-1" });
  for (const [item, code, details] of [
    ["none", status.NOT_FOUND, "orders: there is none"],
    ["bug", status.INTERNAL, "failed unexpectedly, its log says how"],
    ["endless", status.DEADLINE_EXCEEDED, "no answer within 200 ms"],
  ] as const) {
    await assert.rejects(create(client, item), (error: ServiceError) => {
      assert.deepEqual([error.code, error.details], [code, details]);
      return true;
    });
  }
  const lines = host.logs.filter(({ msg }) => msg === "failed unexpectedly");
  assert.equal(lines.length, 1);
  assert.match(JSON.stringify(lines[0]?.err), /secret/);
});

test("requests and answers stream", async () => {
  await using host = await startTestHost(orders);
  using client = clientOf(host.port);
  const { list, sum, echo } = Orders;
  const listed = client.makeServerStreamRequest(
    list.path,
    list.requestSerialize,
    list.responseDeserialize,
    { count: 3 },
    new Metadata(),
  );
  assert.deepEqual(await listed.toArray(), [{ id: "0" }, { id: "1" }, { id: "2" }]);

  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const summing = client.makeClientStreamRequest(
    sum.path,
    sum.requestSerialize,
    sum.responseDeserialize,
    new Metadata(),
    (error, value) => (error ? reject(error) : resolve(value)),
  );
  for (const amount of [1, 2, 3]) summing.write({ amount });
  summing.end();
  assert.deepEqual(await promise, { total: 6 });

  const echoing = client.makeBidiStreamRequest(
    echo.path,
    echo.requestSerialize,
    echo.responseDeserialize,
    new Metadata(),
  );
  echoing.write({ text: "a" });
  echoing.write({ text: "b" });
  echoing.end();
  assert.deepEqual(await echoing.toArray(), [{ text: "A" }, { text: "B" }]);
});

test("a method that the function lacks is UNIMPLEMENTED", async () => {
  const other = handler({ name: "other", routes: { "GET /": { handle: async () => undefined } } });
  await using host = await startTestHost(other);
  using client = clientOf(host.port);
  await assert.rejects(create(client, "tea"), { code: status.UNIMPLEMENTED });
});

test("another function calls its methods by name, and failures are led by the path of hops", async () => {
  await using below = await startTestHost(orders);
  const shop = handler({
    name: "shop",
    calls: [grpc("orders", Orders)],
    routes: {
      "GET /api/buy/{item}": {
        handle: async ({ parameters: { item }, callees }) => ({
          body: await callees.orders.create({ item }),
        }),
      },
    },
  });
  await using host = await startTestHost(shop, { callees: { orders: below.address } });
  assert.match((await ask(host.port, "/api/buy/tea")).text, /^\{"id":"tea-\d+"\}$/);
  const failed = await ask(host.port, "/api/buy/none");
  assert.partialDeepStrictEqual(failed.json(), {
    status: 404,
    code: "ERR_NOT_FOUND",
    detail: "shop > orders: there is none",
  });
});
