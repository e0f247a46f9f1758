/** What comes in with the dependencies: from where, and what they run at their installation. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { functionsDir } from "../local/discover.ts";

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: true;
  readonly dev?: true;
}

const root = join(functionsDir, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const { allowScripts } = JSON.parse(read("package.json"));
const { "": _, ...packages }: Record<string, Locked> = JSON.parse(
  read("package-lock.json"),
).packages;
const nameOf = (path: string) => path.replace(/^.*node_modules\//, "");

test("every package is locked to its content, and to no registry", () => {
  for (const [path, { integrity, resolved }] of Object.entries(packages)) {
    assert.match(integrity ?? "", /^sha512-/, path);
    assert.equal(resolved, undefined, path);
  }
});

test("every install script is decided on, and no package of an image runs one", () => {
  const scripted = Object.entries(packages).filter(([, one]) => one.hasInstallScript);
  const names = new Set(scripted.map(([path]) => nameOf(path)));
  assert.deepEqual(Object.keys(allowScripts).sort(), [...names].sort());
  for (const [path, { dev }] of scripted) {
    if (allowScripts[nameOf(path)]) assert.equal(dev, true, path);
  }
});

test("uuid has no known vulnerability (CVE-2026-41907)", () => {
  const versions = Object.entries(packages).filter(([path]) => nameOf(path) === "uuid");
  assert.ok(versions.length > 0);
  for (const [path, { version }] of versions) {
    const [major = 0, minor = 0] = version.split(".").map(Number);
    assert.ok(major > 11 || (major === 11 && minor >= 1), `${path} ${version}`);
  }
});
