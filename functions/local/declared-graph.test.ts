import assert from "node:assert/strict";
import { test } from "node:test";
import { greeter, grpc, http, publishTo, saveTo, subscriber } from "#host";
import { bridge } from "../bridge/bridge.ts";
import { graphOf } from "./declared-graph.ts";

const definitions = [
  greeter({ name: "root", greeting: "hi", calls: [grpc("leaf"), http("sink")] }),
  greeter({ name: "leaf", greeting: "hi", effects: [publishTo("events")] }),
  bridge({ name: "carrier", sources: [] }),
  subscriber({ name: "sink", greeting: "hi", from: "events", effects: [saveTo("db.messages")] }),
];

test("a graph has every function, queue and collection once", () => {
  const nodes = graphOf(definitions).nodes.map(({ name, kind }) => ({ name, kind }));
  assert.deepEqual(nodes, [
    { name: "root", kind: "greeter" },
    { name: "leaf", kind: "greeter" },
    { name: "carrier", kind: "bridge" },
    { name: "sink", kind: "subscriber" },
    { name: "rabbitmq:events", kind: "queue" },
    { name: "mongodb:db.messages", kind: "collection" },
  ]);
});

test("a graph has every edge, in declared order and with the protocol that is spoken on it", () => {
  assert.deepEqual(graphOf(definitions).edges, [
    { from: "root", to: "leaf", protocol: "grpc" },
    { from: "root", to: "sink", protocol: "http" },
    { from: "leaf", to: "rabbitmq:events", protocol: "amqp" },
    { from: "carrier", to: "sink", protocol: "cloudevents" },
    { from: "rabbitmq:events", to: "carrier", protocol: "amqp" },
    { from: "sink", to: "mongodb:db.messages", protocol: "mongodb" },
  ]);
});
