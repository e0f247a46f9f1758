import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import type { Graph } from "#host";
import { createGraphSource } from "./graph-source.ts";

/** Prometheus' HTTP API with the same bytes for two functions, and no other figures. */
const prometheus = createServer(async (request, response) => {
  const query = new URLSearchParams(Buffer.concat(await request.toArray()).toString()).get("query");
  const of = (from: string) => ({ metric: { from }, value: [0, "1200"] });
  const result = query?.includes("istio_tcp") ? [of("orders"), of("service-c")] : [];
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ status: "success", data: { result } }));
});
await new Promise<void>((resolve) => prometheus.listen(0, "127.0.0.1", resolve));
after(() => {
  prometheus.closeAllConnections();
  prometheus.close();
});

const graph: Graph = {
  nodes: [
    { name: "orders", kind: "handler" },
    { name: "service-c", kind: "greeter" },
    { name: "rabbitmq:orders", kind: "queue" },
    { name: "mongodb:orders.orders", kind: "collection" },
    { name: "mongodb:service-c.greetings", kind: "collection" },
  ],
  edges: [
    { from: "orders", to: "rabbitmq:orders", protocol: "amqp" },
    { from: "orders", to: "mongodb:orders.orders", protocol: "mongodb" },
    { from: "service-c", to: "mongodb:service-c.greetings", protocol: "mongodb" },
  ],
};

test("bytes are shown on a function's only connection, and on none of several", async () => {
  const { port } = prometheus.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const take = createGraphSource({ graph, url, namespace: undefined, report: assert.fail });
  const { edges, source } = await take();
  assert.equal(source, "prometheus");
  assert.deepEqual(
    edges.map(({ to, bytesPerSecond }) => [to, bytesPerSecond]),
    [
      ["rabbitmq:orders", undefined],
      ["mongodb:orders.orders", undefined],
      ["mongodb:service-c.greetings", 1_200],
    ],
  );
});
