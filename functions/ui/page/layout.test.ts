import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { platformGraph } from "../../test/support/orders.ts";
import { type LiveGraph, type LiveNode, noFigures } from "../live.ts";
import { placeNodes } from "./layout.ts";

const all = (await platformGraph()) as unknown as LiveGraph;
const graph = { ...all, nodes: all.nodes.filter(({ kind }) => kind !== "ui") };

type Kind = LiveNode["kind"];
type Protocol = LiveGraph["edges"][number]["protocol"];

function withMore(
  nodes: readonly (readonly [string, Kind])[],
  edges: readonly (readonly [string, string, Protocol])[],
): LiveGraph {
  const added = nodes.map(([name, kind]): LiveNode => {
    return { name, kind, state: "ready", figures: noFigures };
  });
  const more = edges.map(([from, to, protocol]) => {
    return { from, to, protocol, declared: true, figures: noFigures };
  });
  return { ...graph, nodes: [...graph.nodes, ...added], edges: [...graph.edges, ...more] };
}

/** What two functions of one's own add, one of them a consumer, and a plain one that calls nothing. */
const grown = withMore(
  [
    ["orders", "handler"],
    ["invoices", "handler"],
    ["plain", "function"],
    ["rabbitmq:orders", "queue"],
    ["mongodb:orders.orders", "collection"],
    ["mongodb:invoices.invoices", "collection"],
  ],
  [
    ["orders", "service-g", "grpc"],
    ["orders", "mongodb:orders.orders", "mongodb"],
    ["orders", "rabbitmq:orders", "amqp"],
    ["rabbitmq:orders", "bridge", "amqp"],
    ["bridge", "invoices", "cloudevents"],
    ["invoices", "mongodb:invoices.invoices", "mongodb"],
  ],
);

const twenty = Array.from({ length: 20 }, (_, i) => `more-${i}`);
const crowded = withMore(
  twenty.map((name) => [name, "handler"]),
  twenty.map((name) => ["service-a", name, "http"]),
);

/** A chain that is too long for ranks side by side. */
const long = withMore(
  twenty.map((name) => [name, "handler"]),
  twenty.map((name, i) => [twenty[i - 1] ?? "service-h", name, "http"]),
);

for (const [name, shown, fits] of [
  ["the declared graph", graph, true],
  ["a graph with functions of one's own", grown, true],
  ["a graph with twenty callees of one function", crowded, false],
  ["a graph with a long chain of calls", long, false],
] as const) {
  describe(`the layout of ${name}`, () => {
    for (const width of [340, 560, 900, 1_000, 1_360, 1_860]) {
      const place = { width, height: width >= 1_000 ? 380 : 1_040 };
      const { positions, sizes, direction, minHeight } = placeNodes(shown, place);
      const height = Math.max(place.height, minHeight);
      const boxes = [...positions].map(([name, { x, y }]) => {
        const size = sizes.get(name) ?? assert.fail(name);
        return { name, left: x - size.width / 2, top: y - size.height / 2, ...size };
      });

      test(`stays in a place ${width} wide, and no node lies on another`, () => {
        if (fits) assert.equal(height, place.height);
        assert.equal(boxes.length, shown.nodes.length);
        for (const a of boxes) {
          assert.ok(a.left >= 0 && a.left + a.width <= width, `${a.name} is outside`);
          assert.ok(a.top >= 0 && a.top + a.height <= height, `${a.name} is outside`);
          for (const b of boxes) {
            if (a === b) continue;
            const across = a.left < b.left + b.width && b.left < a.left + a.width;
            const down = a.top < b.top + b.height && b.top < a.top + a.height;
            assert.ok(!(across && down), `${a.name} lies on ${b.name}`);
          }
        }
      });

      test(`puts every callee behind its caller in a place ${width} wide`, () => {
        if (fits) assert.equal(direction, width >= 1_000 ? "LR" : "TB");
        const axis = direction === "LR" ? "x" : "y";
        for (const { from, to } of shown.edges) {
          const [caller, callee] = [positions.get(from), positions.get(to)];
          assert.ok(caller && callee && callee[axis] > caller[axis], `${from} to ${to}`);
        }
      });
    }
  });
}
