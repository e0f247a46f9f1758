import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const module = new URL("compiler.ts", import.meta.url).href;

/** The compilers that V8 says it takes for a function that is hot. */
function compilersOf(first: string): Set<string> {
  const script = `${first}
    function hot(n) { let sum = 0; for (let i = 0; i < n; i++) sum += i % 7; return sum; }
    for (let i = 0; i < 20_000; i++) hot(20);`;
  const options = ["--trace-opt", "--input-type=module", "--eval", script];
  const { stdout, status } = spawnSync(process.execPath, options, { encoding: "utf8" });
  assert.equal(status, 0);
  const found = stdout.matchAll(/compiling .*JSFunction hot .*target (MAGLEV|TURBOFAN)/g);
  return new Set([...found].map(([, compiler = ""]) => compiler));
}

test("what is hot is compiled by V8's last compiler alone", () => {
  assert.ok(compilersOf("").has("MAGLEV"), "which V8 takes by itself");
  const start = `import { leaveOutMaglev } from ${JSON.stringify(module)}; leaveOutMaglev();`;
  assert.deepEqual(compilersOf(start), new Set(["TURBOFAN"]));
});
