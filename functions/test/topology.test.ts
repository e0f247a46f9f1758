import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import type { Definition } from "#host";
import { graphOf } from "#host/kinds/graph";
import graph from "../gateway/graph.json" with { type: "json" };
import { functionsDir, loadFunctions } from "../local/discover.ts";

/** The graph as the design draws it, written a second time on purpose: this is what must not change by chance. */
const edges = [
  "bridge -cloudevents-> service-f",
  "rabbitmq:service-d -amqp-> bridge",
  "gateway -grpc-> service-a",
  "service-a -grpc-> service-b",
  "service-a -http-> service-c",
  "service-b -http-> service-d",
  "service-b -grpc-> service-e",
  "service-c -mongodb-> mongodb:service-c.greetings",
  "service-d -amqp-> rabbitmq:service-d",
  "service-e -grpc-> service-g",
  "service-e -http-> service-h",
  "service-f -mongodb-> mongodb:service-f.messages",
  "service-g -mongodb-> mongodb:service-g.greetings",
  "service-h -mongodb-> mongodb:service-h.greetings",
];

describe("the definitions", () => {
  let definitions: Definition[];

  before(async () => {
    definitions = (await loadFunctions()).flatMap(({ name, definition }) => {
      assert.equal(definition?.name, name, "the folder's name is the function's");
      return definition ?? [];
    });
  });

  test("declare the graph of the design", () => {
    const declared = graphOf(definitions).edges;
    assert.deepEqual(
      declared.map(({ from, to, protocol }) => `${from} -${protocol}-> ${to}`),
      edges,
    );
  });

  test("are what the gateway shows", () => {
    assert.deepEqual(graph, graphOf(definitions));
  });

  test("call only functions that there are, and never in a circle", () => {
    const byName = new Map(definitions.map((definition) => [definition.name, definition]));
    const walk = (name: string, path: readonly string[]): void => {
      assert.ok(!path.includes(name), `a circle: ${[...path, name].join(" > ")}`);
      const definition = byName.get(name);
      assert.ok(definition, `${path.at(-1)} calls ${name}, which is no function`);
      for (const callee of definition.calls) walk(callee.name, [...path, name]);
    };
    for (const { name } of definitions) walk(name, []);
  });

  test("take 8 to 25 lines each", async () => {
    for (const { name } of definitions) {
      const text = await readFile(join(functionsDir, name, "index.ts"), "utf8");
      const lines = text.trimEnd().split("\n").length;
      assert.ok(lines >= 8 && lines <= 25, `${name} takes ${lines}`);
    }
  });
});
