import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { functionsDir, loadFunctions } from "../discover.ts";
import { DeclarationError } from "./check.ts";

const fine = `import { greeter, publishTo } from "#host";
export default greeter({
  name: "NAME",
  greeting: "hello",
  effects: [publishTo("NAME")],
});
`;

/** The functions' files, by folder, in a package that has this clone's host. */
async function problemsOf(files: Readonly<Record<string, string>>): Promise<string[]> {
  const root = await mkdtemp(join(tmpdir(), "declarations-"));
  const clone = join(functionsDir, "..");
  try {
    await mkdir(join(root, "functions"));
    for (const shared of ["functions/host", "proto", "node_modules", "package.json"]) {
      await symlink(join(clone, shared), join(root, shared));
    }
    for (const [folder, text] of Object.entries(files)) {
      await mkdir(join(root, "functions", folder));
      const content = text.replaceAll("NAME", folder);
      await writeFile(join(root, "functions", folder, "index.ts"), content);
    }
    await loadFunctions(join(root, "functions"));
    return [];
  } catch (thrown) {
    if (!(thrown instanceof DeclarationError)) throw thrown;
    return thrown.message.split("\n").slice(1);
  } finally {
    await rm(root, { recursive: true });
  }
}

const greeter = (folder: string, ...lines: string[]) =>
  [
    `import { greeter, grpc, http, publishTo } from "#host";`,
    "export default greeter({",
    `  name: "${folder}",`,
    `  greeting: "hello",`,
    ...lines.map((line) => `  ${line}`),
    "});",
    "",
  ].join("\n");

const handler = (folder: string, ...lines: string[]) =>
  greeter(folder, ...lines)
    .replace("greeter,", "handler,")
    .replace("greeter(", "handler(")
    .replace(`  greeting: "hello",\n`, "");

const on = "on: { async x() {} },";

const cases: readonly [title: string, files: Record<string, string>, ...expected: string[]][] = [
  [
    "that is right has none",
    { a: fine, b: greeter("b", `calls: [grpc("a"), http("a2")],`), a2: fine },
  ],
  [
    "names every problem of every file",
    {
      a: greeter("a", `calls: [http("a"),`, `http("b")],`),
      b: greeter("b", `effects: [`, `publishTo("Q")],`),
    },
    'a/index.ts:5: calls "a": that is itself',
    'b/index.ts:6: publishTo("Q"): lower-case letters',
  ],
  [
    "has another name than its folder",
    { a: greeter("b") },
    'a/index.ts:3: name "b": the folder is "a"; give both the same name',
  ],
  [
    "has another's name",
    { a: greeter("a"), b: greeter("a") },
    'a/index.ts:3: name "a": functions/b has it too; name that after its folder',
    'b/index.ts:3: name "a": functions/a has it too; name this "b", after its folder',
  ],
  [
    "has a folder of the platform as its name",
    { a: greeter("test") },
    "a/index.ts:3: name",
    'a/index.ts:3: name "test": functions/test is not a function',
  ],
  [
    "has the name of the cluster's database",
    { mongodb: greeter("mongodb") },
    'mongodb/index.ts:3: name "mongodb": a cluster\'s own mongodb has it',
  ],
  [
    "calls what is not a function",
    {
      "service-g": greeter("service-g"),
      "service-h": greeter("service-h"),
      a: greeter("a", `// "servce-g"`, `calls: [grpc("servce-g")],`),
    },
    'a/index.ts:6: calls "servce-g", which is not a function: did you mean service-g?',
  ],
  [
    "calls by gRPC what serves none",
    { a: greeter("a", `calls: [grpc("b")],`), b: handler("b", on) },
    'a/index.ts:5: calls grpc("b"), which neither greets nor has a gRPC service',
  ],
  [
    "calls what answers nothing",
    { a: greeter("a", `calls: [http("b")],`), b: handler("b") },
    'a/index.ts:5: calls http("b"), which answers no request',
  ],
  [
    "calls in a circle",
    {
      a: greeter("a", `calls: [http("b")],`),
      b: greeter("b", `calls: [http("c")],`),
      c: greeter("c", `calls: [http("a"), http("b")],`),
    },
    'a/index.ts:5: calls "b" in a circle (a > b > c > a): leave out one of these calls',
    'b/index.ts:5: calls "c" in a circle (b > c > b)',
  ],
  [
    "consumes what is published by itself has none",
    { a: handler("a", `effects: { q: publishTo("q") },`, `from: "q",`, on) },
  ],
  [
    "consumes what no function publishes",
    { orders: fine, a: handler("a", `from: "order",`, on) },
    'a/index.ts:4: from "order": no function publishes to this queue (did you mean orders?); add publishTo("order") to one',
  ],
  [
    "consumes what another does",
    { q: fine, a: handler("a", `from: "q",`, on), b: handler("b", `from: "q",`, on) },
    'a/index.ts:4: from "q": b consumes this queue too',
    'b/index.ts:4: from "q": a consumes this queue too',
  ],
  [
    "is public under another's name",
    {
      a: greeter("a", "deploy: { public: true },"),
      b: greeter("b", `deploy: { public: true, subdomain: "a" },`),
    },
    'a/index.ts:3: subdomain "a": b is public under it too',
    'b/index.ts:5: subdomain "a": a is public under it too',
  ],
  [
    "has a JSON Schema that is none",
    {
      a: handler(
        "a",
        `routes: { "POST /x": {`,
        `body: { type: "strin" }, async handle() { return undefined; } } },`,
      ),
    },
    'a/index.ts:4: routes "POST /x": the body\'s JSON Schema is wrong',
  ],
  ["cannot be parsed", { a: "const a = 1;\nexport default {\n  a b\n};\n" }, "a/index.ts:3: "],
  [
    "imports a file that is missing",
    { a: `import "node:fs";\nimport "./gone.ts";\n` },
    "a/index.ts:2: Cannot find module 'functions/a/gone.ts'",
  ],
  [
    "imports a name that is missing",
    { a: `import "node:fs";\nimport { nothing } from "#host";\nexport default nothing;\n` },
    "a/index.ts:2: The requested module '#host' does not provide an export named 'nothing'",
  ],
  ["throws when it is loaded", { a: `\nthrow new Error("no");\n` }, "a/index.ts:2: no"],
  [
    "exports something else",
    { a: "export default 1;\n" },
    "a/index.ts:1: the default export is not a declaration",
  ],
  [
    "exports and registers nothing",
    { nothing: "" },
    "nothing/index.ts:1: there is no default export",
  ],
  [
    "is not loaded leaves the others' problems as they are",
    {
      a: "(",
      b: handler("b", `from: "q",`, on),
      c: greeter("c", `calls: [http("a"), http("d")],`),
    },
    "a/index.ts:1: ",
    'c/index.ts:5: calls "d", which is not a function',
  ],
];

for (const [title, files, ...expected] of cases) {
  test(`a declaration that ${title}`, async () => {
    const problems = await problemsOf(files);
    assert.equal(problems.length, expected.length, problems.join("\n"));
    for (const [i, start] of expected.entries()) {
      const line = problems[i] ?? "";
      assert.ok(line.startsWith(`functions/${start}`), line);
    }
  });
}
