/** What the build stage of functions/Dockerfile makes, without a container engine: the whole graph runs from bundles. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { bundle } from "../bundle.ts";
import { functionNames, loadFunctions } from "../local/discover.ts";
import { askByGrpc } from "./support/ask-by-grpc.ts";
import { startTestGraph, type TestGraph } from "./support/graph.ts";
import { runNode } from "./support/run-function.ts";

const order = ["D", "G", "H", "E", "B", "C", "A"];
const layerLimitBytes = 6 * 1024 * 1024;

describe("bundles", () => {
  let folder: string;
  let system: TestGraph;
  const folderOf = (name: string) => join(folder, name);
  const textOf = (name: string) => readFileSync(join(folderOf(name), "main.js"), "utf8");

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "bundles-"));
    for (const name of functionNames()) await bundle(name, folderOf(name));
    const entryOf = (name: string) => join(folderOf(name), "main.js");
    system = await startTestGraph({ NODE_COMPILE_CACHE: join(folder, "cache") }, { entryOf });
  });
  after(async () => {
    await system?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test("answer HTTP", async () => {
    const { status, body } = await system.ask();
    assert.equal(status, 200);
    assert.deepEqual(
      body.greeting?.map(({ service }) => service.at(-1)),
      order,
    );
  });

  test("answer gRPC, each function", async () => {
    for (const { name, definition } of await loadFunctions()) {
      if (definition?.kind !== "greeter") continue;
      const greetings = await askByGrpc(system.graph.addresses.get(name) ?? 0);
      assert.equal(greetings.at(-1)?.message, definition.greeting);
    }
  });

  test("are small, and hold one function", async () => {
    const functions = await loadFunctions();
    for (const { name, definition } of functions) {
      assert.ok(
        sizeOf(folderOf(name)) < layerLimitBytes,
        `${name}: ${sizeOf(folderOf(name))} bytes`,
      );
      const others = functions.filter((other) => other.name !== name);
      for (const { definition: other } of others) {
        if (!other?.greeting) continue;
        assert.ok(!textOf(name).includes(other.greeting), `${name} has the code of ${other.name}`);
      }
      const saves = definition?.effects.some(({ system }) => system === "mongodb");
      assert.equal(textOf(name).includes("MongoServerSelectionError"), saves, `${name}: mongodb`);
    }
  });

  test("have the page of ui, and not what builds it", async () => {
    const page = await system.fetch("ui", "/");
    assert.equal(page.status, 200);
    const html = await page.text();
    for (const [, path] of html.matchAll(/(?:src|href)="\.?\/?([\w-]+\.\w+)"/g)) {
      assert.equal((await system.fetch("ui", `/${path}`)).status, 200, path);
    }
    assert.ok(readdirSync(join(folderOf("ui"), "built-page")).includes("index.html"));
    assert.doesNotMatch(textOf("ui"), /esbuild/);
  });

  test("start and stop with --once, as the image's build does", async () => {
    const env = { FUNCTION_TARGET: "service-e", NAMESPACE: "build", PORT: "0", LOG_LEVEL: "error" };
    await using run = runNode([join(folderOf("service-e"), "main.js"), "--once"], env);
    assert.equal(await run.exit, 0, run.stderr());
  });
});

test("a function that is not there is not bundled", async () => {
  await assert.rejects(bundle("service-z", tmpdir()), /service-z/);
});

function sizeOf(path: string): number {
  const files = readdirSync(path, { recursive: true, withFileTypes: true });
  const sizes = files
    .filter((file) => file.isFile())
    .map((file) => statSync(join(file.parentPath, file.name)).size);
  return sizes.reduce((sum, size) => sum + size, 0);
}
