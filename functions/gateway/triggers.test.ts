/** /api/services/{name}/… of the gateway: the declared routes of functions, and nothing else. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { greeter, grpc } from "#host";
import { graphOf } from "../local/declared-graph.ts";
import { ask } from "../test/support/ask.ts";
import { shop } from "../test/support/shop.ts";
import { startTestHost } from "../test/support/test-host.ts";
import { gateway } from "./gateway.ts";

const hosts = new AsyncDisposableStack();
after(() => hosts.disposeAsync());
const serviceA = greeter({ name: "service-a", greeting: "Hello" });
const root = hosts.use(await startTestHost(serviceA));
const orders = hosts.use(await startTestHost(shop));
const declared = graphOf([serviceA, shop], ["plain"]);
const graph = { ...declared, nodes: [{ name: "gateway", kind: "gateway" }, ...declared.nodes] };
const entry = hosts.use(
  await startTestHost(gateway({ name: "gateway", to: grpc("service-a"), graph }), {
    callees: { "service-a": root.address, orders: orders.address },
  }),
);
const { port } = entry;

test("passes a request on to a function's declared route, with and without its leading /api", async () => {
  for (const path of ["/api/services/orders/orders", "/api/services/orders/api/orders"]) {
    const headers = {
      "content-type": "application/json",
      "accept-language": "de",
      cookie: "session=1",
    };
    const answer = await ask(port, path, { headers, body: '{"item":"tea"}' });
    assert.equal(answer.status, 201, path);
    assert.deepEqual(answer.json(), { item: "tea", language: "de" });
    assert.equal(answer.headers.location, "/api/orders/7");
    assert.equal(answer.headers["x-kept"], "yes");
    assert.equal(answer.headers["set-cookie"], undefined);
  }
  const found = await ask(port, "/api/services/orders/orders/a%20b?q=1%262");
  assert.deepEqual(found.json(), { id: "a b", q: "1&2" });
  const status = await ask(port, "/api/services/orders/status");
  assert.deepEqual([status.text, status.headers["content-type"]], ["fine", "text/plain"]);
  const gone = await ask(port, "/api/services/orders/orders/1", { method: "DELETE" });
  assert.deepEqual([gone.status, gone.text], [204, ""]);
  const wrong = await ask(port, "/api/services/orders/orders", {
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  assert.equal(wrong.status, 400);
  assert.match(wrong.text, /item/);
});

test("a triggered request is named by the route that it takes, whatever the function", async () => {
  await ask(port, "/api/services/orders/orders/8");
  await ask(port, "/api/services/service-a/greeting");
  const routes = entry.logs.map(({ route }) => route);
  assert.ok(routes.includes("/api/services/{name}/orders/{id}"));
  assert.ok(routes.includes("/api/services/{name}/greeting"));
});

for (const [method, path, status] of [
  ["GET", "/api/services/orders/nowhere", 404],
  ["GET", "/api/services/orders", 404],
  ["GET", "/api/services/orders/", 404],
  ["PATCH", "/api/services/orders/orders/7", 405],
  ["GET", "/api/services/orders/healthz", 404],
  ["GET", "/api/services/orders/wake", 404],
  ["GET", "/api/services/orders/metrics", 404],
  ["GET", "/api/services/orders/orders/..", 404],
  ["GET", "/api/services/orders/orders/%2e%2e", 404],
  ["GET", "/api/services/orders/orders/a/../../status", 404],
  ["GET", "/api/services/orders/%6frders", 404],
  ["GET", "/api/services/..%2forders/status", 404],
  ["GET", "/api/services/ORDERS/status", 404],
  ["GET", "/api/services/__proto__/status", 404],
  ["GET", "/api/services/gateway/api/graph", 404],
  ["GET", "/api/services/orders/orders/%ff", 400],
] as const) {
  test(`${method} ${path} reaches no route, and is ${status}`, async () => {
    const answer = await ask(port, path, { method });
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.headers["content-type"], "application/problem+json");
  });
}
