/**
 * `npm run generate`: writes what follows from the definitions and from proto/, and is committed. Files of earlier
 * definitions go. With --check nothing is written: exit code 1 and the files' names where they are stale.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { DeclarationError } from "../declarations/check.ts";
import { functionsDir, loadFunctions } from "../discover.ts";
import { graphFiles, seedGraphFiles } from "./graph-files.ts";
import { protoFiles } from "./proto-files.ts";

const root = join(functionsDir, "..");
const check = process.argv.includes("--check");

await seedGraphFiles();
const functions = await loadFunctions().catch((thrown) => {
  if (!(thrown instanceof DeclarationError)) throw thrown;
  process.stderr.write(`${thrown.message}\n`);
  process.exit(2);
});
const files = new Map([...(await protoFiles()), ...graphFiles(functions)]);
let stale = 0;
for (const [file, content] of files) {
  const found = await readFile(file, "utf8").catch(() => undefined);
  if (found === content) continue;
  stale++;
  process.stdout.write(`${check ? "stale" : "written"}: ${relative(root, file)}\n`);
  if (check) continue;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}
if (check && stale > 0) {
  process.stdout.write("run: npm run generate\n");
  process.exitCode = 1;
}
