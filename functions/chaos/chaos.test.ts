/** The fault laboratory itself, in short: that it finds nothing in a sound build, and what a broken one loses. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import type { Row } from "./experiment.ts";
import { mutate, mutations } from "./mutations.ts";

/** Runs `npm run chaos`, with bounds that a busy machine keeps. */
async function runChaos(
  ...args: string[]
): Promise<{ code: number | null; rows: Row[]; said: string }> {
  const all = ["--json", "--source", "--seconds", "1", "--bound", "60", ...args];
  const child = spawn(process.execPath, [join(import.meta.dirname, "chaos.ts"), ...all]);
  let output = "";
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  const rows = output
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Row);
  return { code, rows, said };
}

test("a sound build loses, doubles and mixes nothing up while functions are killed", async () => {
  const faults = "SIGKILL service-b,SIGKILL bridge while";
  const { code, rows, said } = await runChaos("--faults", faults);
  assert.equal(code, 0, said + JSON.stringify(rows));
  assert.ok(rows.length >= 2);
  for (const row of rows) {
    const { wrong, lost, doubled } = row;
    assert.deepEqual([wrong, lost, doubled], [0, 0, 0], JSON.stringify(row));
    assert.ok(row.right > 0 && row.right + row.refused === row.requests, JSON.stringify(row));
  }
});

test("a build that acknowledges messages before their delivery is found out", async () => {
  const mutation = mutations.find(({ name }) => name === "acknowledge");
  const run = ["--mutation", mutation?.name ?? "", "--faults", mutation?.shownBy ?? ""];
  const { code, rows, said } = await runChaos(...run, "--patience", "4");
  assert.equal(code, 1, said);
  const [row] = rows;
  assert.ok((row?.lost ?? 0) > 0, said + JSON.stringify(rows));
});

for (const mutation of mutations) {
  test(`the source still has what the mutation "${mutation.name}" changes`, () => {
    mutate(mutation);
  });
}
