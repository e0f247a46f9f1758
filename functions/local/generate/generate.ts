/**
 * `npm run generate`: writes what follows from the definitions and from proto/, and is committed: manifests, the
 * graph's data, code. Files of earlier definitions go. With --check nothing is written: exit code 1 and the files'
 * names where they are stale or left over.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { DeclarationError } from "../declarations/check.ts";
import { functionsDir, loadFunctions } from "../discover.ts";
import { graphFiles, seedGraphFiles } from "./graph-files.ts";
import { manifestFiles } from "./manifests/manifest-files.ts";
import { leftProtoFiles, protoFiles } from "./proto-files.ts";

const root = join(functionsDir, "..");
const check = process.argv.includes("--check");
let stale = 0;

// First, since functions import what is made of their .proto files.
const proto = await protoFiles();
await bring(proto, await leftProtoFiles(proto));
await seedGraphFiles();
const functions = await loadFunctions().catch((thrown) => {
  if (!(thrown instanceof DeclarationError)) throw thrown;
  process.stderr.write(`${thrown.message}\n`);
  process.exit(2);
});
await bring(graphFiles(functions));
const manifests = await manifestFiles(root, functions).catch((thrown: Error) => {
  process.stderr.write(`${thrown.message}\n`);
  process.exit(2);
});
await bring(manifests.files, manifests.left);
if (check && stale > 0) {
  process.stdout.write("run: npm run generate\n");
  process.exitCode = 1;
}

/** Writes the files, by path, and deletes what is left of earlier ones; or says which would change. */
async function bring(files: ReadonlyMap<string, string>, left: readonly string[] = []) {
  const say = (what: string, file: string) => {
    stale++;
    process.stdout.write(`${what}: ${relative(root, file)}\n`);
  };
  for (const [file, content] of files) {
    if ((await readFile(file, "utf8").catch(() => undefined)) === content) continue;
    say(check ? "stale" : "written", file);
    if (check) continue;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  for (const file of left) {
    say(check ? "left over" : "deleted", file);
    if (!check) await rm(file);
  }
}
