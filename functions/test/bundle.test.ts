/** What the build stage of functions/Dockerfile makes, without a container engine: the whole graph runs from bundles. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Plugin } from "esbuild";
import { bundle } from "../bundle.ts";
import { functionNames, loadFunctions } from "../local/discover.ts";
import { askByGrpc } from "./support/ask-by-grpc.ts";
import { startTestGraph, type TestGraph } from "./support/graph.ts";
import { loadedBy } from "./support/loaded.ts";
import { type Receiver, startReceiver } from "./support/receiver.ts";
import { runNode } from "./support/run-function.ts";

const order = ["D", "G", "H", "E", "B", "C", "A"];
const layerLimitBytes = 6 * 1024 * 1024;

describe("bundles", () => {
  let folder: string;
  let system: TestGraph;
  let receiver: Receiver;
  const folderOf = (name: string) => join(folder, name);
  const textOf = (name: string) => readFileSync(join(folderOf(name), "main.js"), "utf8");

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "bundles-"));
    await Promise.all(functionNames().map((name) => bundle(name, folderOf(name))));
    const entryOf = (name: string) => join(folderOf(name), "main.js");
    receiver = await startReceiver();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTEL_BSP_SCHEDULE_DELAY: "200" };
    const cache = { NODE_COMPILE_CACHE: join(folder, "cache") };
    system = await startTestGraph({ ...env, ...cache }, { entryOf });
  });
  after(async () => {
    await system?.[Symbol.asyncDispose]();
    await receiver?.[Symbol.asyncDispose]();
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

  test("tell a receiver of their spans", async () => {
    await system.ask();
    const names = ["gateway", "service-d", "service-f", "bridge"];
    for (const name of names) await receiver.span(name, ({ service }) => service === name);
  });

  test("have OpenTelemetry's SDK, and run none of it unless there is a receiver", async () => {
    const main = join(folderOf("gateway"), "main.js");
    const local = { FUNCTION_TARGET: "gateway", NAMESPACE: "build", PORT: "0", LOG_LEVEL: "error" };
    for (const [env, expected] of [
      [{}, false],
      [{ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint }, true],
    ] as const) {
      const coverage = await mkdtemp(join(folder, "coverage-"));
      const all = { ...local, ...env, NODE_V8_COVERAGE: coverage };
      await using run = runNode([main, "--once"], all);
      assert.equal(await run.exit, 0, run.stderr());
      // What a module of the SDK does first when it is run.
      const at = textOf("gateway").indexOf("BatchSpanProcessorBase=class");
      assert.ok(at > 0);
      assert.equal(wasRun(coverage, main, at), expected);
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

  test("have no sources, and their map beside them", () => {
    for (const name of functionNames()) {
      assert.match(textOf(name), /^\/\/# sourceMappingURL=main\.js\.map$/m);
      const map = JSON.parse(readFileSync(join(folderOf(name), "main.js.map"), "utf8"));
      assert.equal(map.sourcesContent, undefined);
    }
  });

  test("list their packages with version, licence and hash", () => {
    const packagesOf = (name: string) => {
      const sbom = JSON.parse(readFileSync(join(folderOf(name), "sbom.cdx.json"), "utf8"));
      assert.equal(sbom.bomFormat, "CycloneDX");
      assert.equal(sbom.metadata.component.name, name);
      for (const { name, version, hashes, licenses } of sbom.components) {
        assert.ok(version && hashes && licenses, name);
      }
      return new Set<string>(sbom.components.map(({ name }: { name: string }) => name));
    };
    const c = packagesOf("service-c");
    for (const one of ["mongodb", "pino", "@grpc/grpc-js", "@bufbuild/protobuf"]) {
      assert.ok(c.has(one), one);
    }
    assert.ok(!c.has("amqplib") && !c.has("esbuild"));
    assert.ok(packagesOf("service-d").has("amqplib"));
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

  test("load none of Node's modules that cost a start much and that they do not need", async () => {
    const { builtins } = await loadedBy("service-c", {
      main: join(folderOf("service-c"), "main.js"),
    });
    assert.ok(builtins.includes("http"));
    const costly = ["domain", "http2", "https", "internal/deps/undici/undici"];
    assert.deepEqual(
      costly.filter((one) => builtins.includes(one)),
      [],
    );
  });

  test("start and stop with --once, as the image's build does", async () => {
    const env = { FUNCTION_TARGET: "service-e", NAMESPACE: "build", PORT: "0", LOG_LEVEL: "error" };
    await using run = runNode([join(folderOf("service-e"), "main.js"), "--once"], env);
    assert.equal(await run.exit, 0, run.stderr());
  });
});

test("an error in a bundle names the files and lines of the repository", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bundle-"));
  try {
    await bundle("service-a", folder, [throwing]);
    await using run = runNode([join(folder, "main.js")], { FUNCTION_TARGET: "service-a" });
    assert.equal(await run.exit, 1);
    assert.match(run.stderr(), /^Error: broken\n {4}at \S+ \(functions\/service-a\/index\.ts:2:/m);
    assert.match(run.stderr(), / at .*loadDefinition \(functions\/host\/main\.ts:\d+:\d+\)/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** A function whose module throws in its second line. */
const throwing: Plugin = {
  name: "throwing",
  setup({ onLoad }) {
    onLoad({ filter: /service-a[\\/]index\.ts$/ }, () => ({
      contents: 'const brokenOne = () => {\n  throw new Error("broken");\n};\nbrokenOne();',
    }));
  },
};

test("a function that is not there is not bundled", async () => {
  await assert.rejects(bundle("service-z", tmpdir()), /service-z/);
});

/** Whether V8 saw the code at this place of the file run: the innermost function around it, at least once. */
function wasRun(coverage: string, file: string, at: number): boolean {
  interface Range {
    startOffset: number;
    endOffset: number;
    count: number;
  }
  const reports = readdirSync(coverage).map(
    (name): { result: { url: string; functions: { ranges: Range[] }[] }[] } =>
      JSON.parse(readFileSync(join(coverage, name), "utf8")),
  );
  const around = reports
    .flatMap(({ result }) => result)
    .filter(({ url }) => url === pathToFileURL(file).href)
    .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges))
    .filter(({ startOffset, endOffset }) => startOffset <= at && at < endOffset)
    .sort((a, b) => a.endOffset - a.startOffset - (b.endOffset - b.startOffset));
  assert.ok(around.length > 0, "the file is in the report");
  return (around[0]?.count ?? 0) > 0;
}

function sizeOf(path: string): number {
  const files = readdirSync(path, { recursive: true, withFileTypes: true });
  const sizes = files
    .filter((file) => file.isFile())
    .map((file) => statSync(join(file.parentPath, file.name)).size);
  return sizes.reduce((sum, size) => sum + size, 0);
}
