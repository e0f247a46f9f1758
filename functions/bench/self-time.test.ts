import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { root } from "../local/tool-env.ts";
import { selfTimes } from "./self-time.ts";

test("a profile is read in the words of the source, between two times, without waiting", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "profile-"));
  t.after(() => rm(folder, { recursive: true }));
  const source = "\n\nexport function work(a: number) {\n  return a + 1;\n}\n";
  await writeFile(join(folder, "work.ts"), source);
  const outfile = join(folder, "main.js");
  await build({ entryPoints: [join(folder, "work.ts")], outfile, minify: true, sourcemap: true });
  const frame = (functionName: string, url: string, columnNumber = 0) => ({
    functionName,
    ...{ url, lineNumber: 0, columnNumber },
  });
  const nodes = [
    frame("w", pathToFileURL(outfile).href, 16),
    frame("(garbage collector)", ""),
    frame("(idle)", ""),
    frame("emit", "node:events"),
    frame("", pathToFileURL(join(root, "node_modules/@grpc/grpc-js/build/src/call.js")).href),
  ].map((callFrame, index) => ({ id: index + 1, callFrame }));
  const profile = {
    nodes,
    startTime: 1_000,
    samples: [1, 1, 2, 3, 4, 5, 1],
    timeDeltas: [10, 10, 10, 10, 10, 10, 1_000],
  };
  await writeFile(join(folder, "CPU.cpuprofile"), JSON.stringify(profile));
  assert.deepEqual(selfTimes(folder, 1_015, 1_500), [
    { where: "work.ts", function: "w  work.ts:3", micros: 10 },
    { where: "garbage collector", function: "(garbage collector)", micros: 10 },
    { where: "node:events", function: "emit  node:events", micros: 10 },
    {
      where: "@grpc/grpc-js",
      function: "(anonymous)  @grpc/grpc-js/build/src/call.js:1",
      micros: 10,
    },
  ]);
});
