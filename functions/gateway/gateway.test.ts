import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { greeter, grpc, saveTo, subscriber } from "#host";
import type { Greeting } from "#proto";
import { graphOf } from "../local/declared-graph.ts";
import { ask } from "../test/support/ask.ts";
import { askByGrpc } from "../test/support/ask-by-grpc.ts";
import { useDatabase } from "../test/support/services.ts";
import { shop } from "../test/support/shop.ts";
import { startTestHost } from "../test/support/test-host.ts";
import { until } from "../test/support/until.ts";
import { gateway } from "./gateway.ts";

const hosts = new AsyncDisposableStack();
after(() => hosts.disposeAsync());
const MONGODB_URL = await useDatabase();

const serviceA = greeter({ name: "service-a", greeting: "Hello" });
const root = hosts.use(await startTestHost(serviceA));
const effect = saveTo(`test-${randomUUID()}.messages`);
const serviceF = subscriber({ name: "service-f", greeting: "Hola", effects: [effect] });
const sink = hosts.use(await startTestHost(serviceF, { env: { MONGODB_URL } }));
await until("the subscriber", () => sink.ready());

const orders = hosts.use(await startTestHost(shop));
const definitions = [serviceA, serviceF, shop];
const declared = graphOf(definitions);
const graph = {
  nodes: [
    { name: "gateway", kind: "gateway" },
    { name: "plain", kind: "function" },
    ...declared.nodes,
  ],
  edges: [{ from: "gateway", to: "service-a", protocol: "grpc" }, ...declared.edges],
};
const entry = hosts.use(
  await startTestHost(gateway({ name: "gateway", to: grpc("service-a"), graph }), {
    callees: { "service-a": root.address, "service-f": sink.address, orders: orders.address },
  }),
);
const { port } = entry;

const event = { specversion: "1.0", id: "1", source: "/test", type: "t", data: { a: 1 } };
const structured = { "content-type": "application/cloudevents+json" };
const events = "/api/services/service-f/events";

interface Problem {
  code: string;
  detail: string;
}

test("asks the graph by either path, and any one function", async () => {
  for (const [path, service] of [
    ["/api/greeting", "Service-A"],
    ["/api/v1/greeting", "Service-A"],
    ["/api/services/service-a/greeting", "Service-A"],
    ["/api/services/service-f/greeting", "Service-F"],
  ] as const) {
    const answer = await ask(port, path);
    assert.equal(answer.status, 200, path);
    const { greeting } = answer.json<{ greeting: Greeting[] }>();
    assert.deepEqual(
      greeting.map((one) => one.service),
      [service],
    );
  }
});

test("answers 404 for a function that there is not, and names those that there are", async () => {
  for (const [path, known] of [
    ["/api/services/service-x/greeting", "service-a, service-f, orders"],
    ["/api/services/gateway/greeting", "service-a, service-f, orders"],
    ["/api/services/service-a/messages", "service-f"],
  ] as const) {
    const answer = await ask(port, path);
    assert.equal(answer.status, 404, path);
    const { code, detail } = answer.json<Problem & Record<string, unknown>>();
    assert.equal(code, "ERR_NOT_FOUND");
    assert.ok(detail.endsWith(`there are ${known}`), detail);
  }
  const plain = await ask(port, "/api/services/plain/hello");
  assert.equal(plain.status, 404);
  assert.match(plain.text, /plain declares no routes/);
  const posted = await ask(port, "/api/services/service-a/events", { method: "POST", body: "{}" });
  assert.equal(posted.status, 404);
});

test("hands an event on in both modes, and shows what was stored", async () => {
  const body = JSON.stringify(event);
  assert.equal((await ask(port, events, { headers: structured, body })).status, 204);
  const binary = { "ce-specversion": "1.0", "ce-id": "2", "ce-source": "/test", "ce-type": "t" };
  const headers = { ...binary, "content-type": "application/json" };
  assert.equal((await ask(port, events, { headers, body: '{"a":2}' })).status, 204);
  const answer = await ask(port, "/api/services/service-f/messages?limit=2");
  const { messages } = answer.json<{ messages: { id: string; data: object }[] }>();
  assert.deepEqual(
    messages.map(({ id, data }) => [id, data]),
    [
      ["2", { a: 2 }],
      ["1", { a: 1 }],
    ],
  );
});

test("answers with the subscriber's own problem", async () => {
  const { source: _, ...rest } = event;
  const answer = await ask(port, events, { headers: structured, body: JSON.stringify(rest) });
  assert.equal(answer.status, 400);
  assert.match(answer.json<Problem & Record<string, unknown>>().detail, /source/);
  const limit = await ask(port, "/api/services/service-f/messages?limit=x");
  assert.equal(limit.status, 400);
});

test("shows the graph, and an index whose links all answer", async () => {
  assert.deepEqual((await ask(port, "/api/graph")).json(), graph);
  const index = (await ask(port, "/")).json();
  const links = JSON.stringify(index).match(/"\/[^"]+"/g) ?? [];
  assert.ok(links.length >= 5);
  for (const link of links) assert.equal((await ask(port, JSON.parse(link))).status, 200, link);
});

test("describes each of its routes in OpenAPI, and none that it has not", async () => {
  const { paths } = (await ask(port, "/openapi.json")).json<{ paths: Record<string, object> }>();
  const wanted = [
    ...["/", "/api/greeting", "/api/v1/greeting", "/api/services/{name}/greeting"],
    ...["/api/services/{name}/events", "/api/services/{name}/messages"],
    ...["/api/services/orders/orders", "/api/services/orders/orders/{id}"],
    "/api/services/orders/status",
    ...["/api/graph", "/openapi.json"],
  ];
  assert.deepEqual(Object.keys(paths), wanted);
  for (const [path, methods] of Object.entries(paths)) {
    const concrete = path.replace("{name}", "service-f").replace("{id}", "7");
    const all = ["get", "post", "put", "patch", "delete"];
    const described = all.filter((method) => method in methods);
    const { headers } = await ask(port, concrete, { method: "PUT" });
    const allowed = String(headers.allow).toLowerCase().split(", ");
    assert.deepEqual(
      allowed.filter((method) => method !== "head"),
      described,
      path,
    );
  }
});

test("answers by gRPC on the same port", async () => {
  const [greeting] = await askByGrpc(port);
  assert.equal(greeting?.service, "Service-A");
});

test("faults can name every function that serves requests, with or without HTTP routes", () => {
  const nodes = [
    { name: "orders", kind: "handler" },
    { name: "plain", kind: "function" },
    { name: "bridge", kind: "bridge" },
    { name: "ui", kind: "ui" },
    { name: "rabbitmq:orders", kind: "queue" },
    { name: "mongodb:orders.orders", kind: "collection" },
  ];
  const { faultTargets } = gateway({
    name: "gateway",
    to: grpc("service-a"),
    graph: { nodes, edges: [] },
  });
  assert.deepEqual(faultTargets, ["gateway", "orders", "plain"]);
});
