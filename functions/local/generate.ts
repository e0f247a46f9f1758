/**
 * Writes what is generated and committed: proto/gen from the wire contract, and the graph, which the
 * gateway and ui show, from the definitions. They get it as data, so that their images do not hold the
 * functions, and changing one of them rebuilds that one only.
 * With --check nothing is written: exit code 1 and the files' names where they are stale.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { graphOf } from "#host/kinds/graph";
import { functionsDir, loadFunctions } from "./discover.ts";

const run = promisify(execFile);
const root = join(functionsDir, "..");
const proto = join(root, "proto");
const graphFile = join(root, "functions/gateway/graph.json");

/** The files and what they should hold. */
async function generate(): Promise<Map<string, string>> {
  const out = await mkdtemp(join(tmpdir(), "generate-"));
  try {
    await run("buf", ["generate", "--output", out], { cwd: proto });
    // For gRPC reflection: of the contract that the functions serve, and of no other file.
    const descriptors = ["--as-file-descriptor-set", "--path", "greeting.proto"];
    await run("buf", ["build", ...descriptors, "-o", join(out, "gen/greeting.json")], {
      cwd: proto,
    });
    const files = new Map<string, string>();
    for (const name of await readdir(join(out, "gen"))) {
      files.set(join(proto, "gen", name), await readFile(join(out, "gen", name), "utf8"));
    }
    const graph = graphOf((await loadFunctions()).flatMap(({ definition }) => definition ?? []));
    return files.set(graphFile, `${JSON.stringify(graph, null, 2)}\n`);
  } finally {
    await rm(out, { recursive: true });
  }
}

const check = process.argv.includes("--check");
let stale = 0;
for (const [file, content] of await generate()) {
  const found = await readFile(file, "utf8").catch(() => undefined);
  if (found === content) continue;
  stale++;
  process.stdout.write(`${check ? "stale" : "written"}: ${relative(root, file)}\n`);
  if (!check) await writeFile(file, content);
}
if (check && stale > 0) {
  process.stdout.write("run: npm run generate\n");
  process.exitCode = 1;
}
