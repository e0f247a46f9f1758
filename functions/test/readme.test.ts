import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { variables } from "#host/base/config";
import { errorTable } from "#host/base/errors";
import { functionsDir } from "../local/discover.ts";

const root = join(functionsDir, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const packageJson = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** The rows of the table whose header begins with these cells. */
function table(header: string): string[] {
  const [, after = ""] = readme.split(`| ${header}`);
  const [rows = ""] = after.split("\n\n");
  return rows.split("\n").slice(2);
}

describe("the README", () => {
  test("lists each variable with its meaning, and no other", () => {
    const rows = table("variable | meaning").filter((row) => !row.includes("SERVICE_B_ADDRESS"));
    const wanted = Object.entries(variables).map(([name, text]) => `| \`${name}\` | ${text} |`);
    assert.deepEqual(rows, wanted);
  });

  test("lists each error code with its statuses, and no other", () => {
    const wanted = Object.entries(errorTable).map(
      ([code, { http, grpc, retryable }]) =>
        `| \`${code}\` | ${http} | ${status[grpc]} | ${retryable ? "yes" : "no"} |`,
    );
    assert.deepEqual(table("code | HTTP | gRPC"), wanted);
  });

  test("names npm commands that there are", () => {
    const named = [...readme.matchAll(/npm (?:run )?([a-z:]+)/g)].map(([, name]) => name ?? "");
    assert.ok(named.includes("start") && named.includes("test"));
    for (const name of named) assert.ok(name in packageJson.scripts, `npm run ${name}`);
  });

  test("names every package, and links to files that there are", () => {
    const { dependencies, devDependencies } = packageJson;
    for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
      assert.ok(readme.includes(`\`${name}\``), name);
    }
    const headings = [...readme.matchAll(/^#+ (.+)$/gm)].map(([, text = ""]) => slugOf(text));
    for (const [, link = ""] of readme.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const isThere = link.startsWith("#")
        ? headings.includes(link.slice(1))
        : existsSync(join(root, link));
      assert.ok(isThere, link);
    }
  });

  test("shows a function as it is", () => {
    const shown = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
    assert.equal(shown, readFileSync(join(functionsDir, "service-e/index.ts"), "utf8"));
  });
});

/** A heading's anchor, as GitHub makes it. */
function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, "")
    .replaceAll(" ", "-");
}
