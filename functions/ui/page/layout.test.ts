import assert from "node:assert/strict";
import { describe, test } from "node:test";
import declared from "../../gateway/graph.json" with { type: "json" };
import type { LiveGraph } from "../live.ts";
import { placeNodes } from "./layout.ts";

const all = declared as unknown as LiveGraph;
const graph = { ...all, nodes: all.nodes.filter(({ kind }) => kind !== "ui") };

describe("the layout of the declared graph", () => {
  for (const width of [340, 560, 900, 1_000, 1_360, 1_860]) {
    const height = width >= 1_000 ? 460 : 1_040;
    const { positions, sizes, direction } = placeNodes(graph, { width, height });
    const boxes = [...positions].map(([name, { x, y }]) => {
      const size = sizes.get(name) ?? assert.fail(name);
      return { name, left: x - size.width / 2, top: y - size.height / 2, ...size };
    });

    test(`stays in a place ${width} wide, and no node lies on another`, () => {
      assert.equal(boxes.length, graph.nodes.length);
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
      assert.equal(direction, width >= 1_000 ? "LR" : "TB");
      const axis = direction === "LR" ? "x" : "y";
      for (const { from, to } of graph.edges) {
        const [caller, callee] = [positions.get(from), positions.get(to)];
        assert.ok(caller && callee && callee[axis] > caller[axis], `${from} to ${to}`);
      }
    });
  }
});
