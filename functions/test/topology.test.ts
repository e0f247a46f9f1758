import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import type { Definition } from "#host";
import graph from "../gateway/graph.json" with { type: "json" };
import { graphOf } from "../local/declared-graph.ts";
import { functionsDir, loadFunctions } from "../local/discover.ts";
import { designEdges, designFunctions, edgeText, isOfDesign } from "./support/design.ts";

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
    assert.deepEqual(declared.filter(isOfDesign).map(edgeText), designEdges);
  });

  test("are what the gateway shows", () => {
    assert.deepEqual(graph, graphOf(definitions));
  });

  test("take 8 to 25 lines each", async () => {
    for (const name of [...designFunctions, "ui"]) {
      const text = await readFile(join(functionsDir, name, "index.ts"), "utf8");
      const lines = text.trimEnd().split("\n").length;
      assert.ok(lines >= 8 && lines <= 25, `${name} takes ${lines}`);
    }
  });

  test("take everything of the host from #host; the gateway and the bridge are the host's own", async () => {
    const found: string[] = [];
    for (const { name } of definitions) {
      if (["gateway", "bridge"].includes(name)) continue;
      for await (const file of glob(`${name}/**/*.ts`, { cwd: functionsDir })) {
        const text = await readFile(join(functionsDir, file), "utf8");
        const reaches = /from "(#host\/|(\.\.\/)+host\/)/.test(text);
        if (reaches && !file.endsWith(".test.ts")) found.push(file);
      }
    }
    assert.deepEqual(found, []);
  });
});
