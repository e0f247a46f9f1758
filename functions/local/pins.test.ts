import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import kubernetes from "../test/schemas/kubernetes.json" with { type: "json" };
import { functionsDir } from "./discover.ts";
import { readPins, supportDays, warningsOf } from "./pins.ts";

const text = readFileSync(join(functionsDir, "../knative/cluster/versions.env"), "utf8");
const pin = (name: string, version: string, note: string) =>
  readPins(`: "\${${name}_VERSION:=${version}}" # ${note}`);

test("every version has its date, and those with a rule were supported when they were taken", () => {
  const pins = readPins(text);
  assert.equal(pins.length, text.match(/_VERSION:=/g)?.length);
  for (const name of Object.keys(supportDays)) assert.ok(pins.some((one) => one.name === name));
  assert.deepEqual(warningsOf(pins, new Date("2026-11-26")), []);
});

for (const [name, version, note, last, found] of [
  // As the projects published it: Knative 1.21 until 2026-08-04, Kubernetes 1.34 until 2026-10-27.
  ["KNATIVE", "1.21.2", "released 2026-03-24, minor 2026-01-27", "2026-08-04", "2026-08-04"],
  ["KUBERNETES", "1.34.4", "released 2026-02-10, minor 2025-08-27", "2026-10-27", "2026-10-27"],
  ["ISTIO", "1.28.3", "released 2026-01-19, minor 2025-11-05", "2026-06-17", "2026-06-17"],
] as const) {
  test(`${name} ${version} is past its support after ${last}`, () => {
    const pins = pin(name, version, note);
    assert.deepEqual(warningsOf(pins, new Date(last)), []);
    const after = new Date(Date.parse(last) + 86_400_000);
    const warning = `${name}_VERSION ${version} is past its support, since about ${found}`;
    assert.deepEqual(warningsOf(pins, after), [warning]);
  });
}

test("a version without a rule is too old after a year, but not one that goes by another's", () => {
  const now = new Date("2026-02-01");
  const own = pin("TOOL", "1.0.0", "released 2025-01-31");
  assert.deepEqual(warningsOf(own, now), [
    "TOOL_VERSION 1.0.0 is older than a year: it is of 2025-01-31",
  ]);
  assert.deepEqual(warningsOf(own, new Date("2026-01-31")), []);
  assert.deepEqual(
    warningsOf(pin("TOOL", "1.0.0", "released 2025-01-31, as in a go.mod"), now),
    [],
  );
});

test("a version without a date is an error that says how to write it", () => {
  assert.throws(
    () => readPins(`: "\${KNATIVE_VERSION:=1.23.0}"`),
    /KNATIVE_VERSION has no date: write/,
  );
  assert.throws(
    () => pin("KNATIVE", "1.23.0", "released 2026-07-29"),
    /KNATIVE_VERSION has no date/,
  );
});

test("npm run check warns of a version, and does not fail for it", () => {
  const check = readFileSync(join(functionsDir, "local/check.ts"), "utf8");
  assert.match(check, /"local\/pins\.ts"/);
  const { status, stderr } = spawnSync(process.execPath, [join(functionsDir, "local/pins.ts")], {
    encoding: "utf8",
  });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
});

test("the schemas that manifests are held against are of these versions", () => {
  const versions = new Map(readPins(text).map(({ name, version }) => [name, version]));
  const [, minor = "", patch] = versions.get("KNATIVE")?.split(".") ?? [];
  const { madeFrom } = kubernetes;
  assert.ok(madeFrom.includes(`k8s.io/kubernetes@v${versions.get("KUBERNETES")}`), `${madeFrom}`);
  assert.ok(madeFrom.includes(`istio.io/api@v${versions.get("ISTIO")}`), `${madeFrom}`);
  assert.ok(
    madeFrom.includes(`knative.dev/serving@v0.${Number(minor) + 27}.${patch}`),
    `${madeFrom}`,
  );
});
