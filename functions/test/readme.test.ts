import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { variables } from "#host/base/config";
import { errorTable } from "#host/base/errors";
import { isPlatform } from "./support/orders.ts";
import { anchorsOf, filesIn, paths, readReadme, root, tableOf } from "./support/readmes.ts";

const readmes = paths.map(readReadme);
const functions = readReadme("functions/README.md");
const packageJson = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

describe("functions/README.md", () => {
  test("lists each variable with its meaning, and no other", () => {
    const rows = tableOf(functions, "variable | meaning").filter(
      (row) => !row.includes("SERVICE_B_ADDRESS"),
    );
    const wanted = Object.entries(variables).map(([name, text]) => `| \`${name}\` | ${text} |`);
    assert.deepEqual(rows, wanted);
  });

  test("lists each error code with its statuses, and no other", () => {
    const wanted = Object.entries(errorTable).map(
      ([code, { http, grpc, retryable }]) =>
        `| \`${code}\` | ${http} | ${status[grpc]} | ${retryable ? "yes" : "no"} |`,
    );
    assert.deepEqual(tableOf(functions, "code | HTTP | gRPC"), wanted);
  });

  test("lists each package, and no other", () => {
    const rows = tableOf(functions, "package | what for").join("\n");
    const named = [...rows.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
    const { dependencies, devDependencies } = packageJson;
    assert.deepEqual(named.sort(), Object.keys({ ...dependencies, ...devDependencies }).sort());
  });
});

test("functions/THREATS.md names tests that exist", () => {
  const { text } = readReadme("functions/THREATS.md");
  const named = [...text.matchAll(/`(?:functions\/)?([\w/-]+\.test\.ts)`/g)];
  assert.ok(named.length > 10);
  for (const [, path = ""] of named) assert.ok(existsSync(join(root, "functions", path)), path);
});

describe("the top README", () => {
  test("has at most 170 lines", () => {
    const [{ text } = { text: "" }] = readmes;
    assert.ok(text.split("\n").length <= 170);
  });

  test("links to the other READMEs", () => {
    const [top] = readmes;
    for (const path of paths.slice(1)) assert.ok(top?.text.includes(`(${path})`), path);
  });
});

for (const readme of readmes) {
  describe(readme.path, () => {
    test("links to files and headings that exist", () => {
      for (const [, link = ""] of readme.text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
        const [file = "", anchor] = link.split("#");
        const path = relative(root, join(root, dirname(readme.path), file));
        const target = file === "" ? readme : readmes.find((one) => one.path === path);
        assert.ok(file === "" || existsSync(join(root, path)), link);
        if (anchor) assert.ok(target && anchorsOf(target).includes(anchor), link);
      }
    });

    test("names npm commands that exist", () => {
      const named = [...readme.text.matchAll(/\bnpm (?:run (?:-s )?)?([a-z]+(?:[:-][a-z]+)*)/g)];
      for (const [, name = ""] of named) assert.ok(name in packageJson.scripts, `npm run ${name}`);
    });

    test("shows files as they are", () => {
      for (const { path, text } of filesIn(readme)) {
        const file = join(root, path);
        // A clone may have a function by the name of the one that is shown.
        const [, name = ""] = /^functions\/([^/]+)\/index\.ts$/.exec(path) ?? [];
        const isExample = name !== "" && !isPlatform(name);
        if (existsSync(file) && !isExample) assert.equal(text, readFileSync(file, "utf8"), path);
      }
    });

    test("repeats no line of another README", () => {
      const lines = (text: string) => text.split("\n").filter((line) => line.length > 50);
      const others = readmes.filter((one) => one !== readme).flatMap(({ text }) => lines(text));
      assert.deepEqual(
        lines(readme.text).filter((line) => others.includes(line)),
        [],
      );
    });
  });
}
