/** `npm run check`: format and lint, types, the wire contract, and what is generated. All are run, whatever fails. */
import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { functionsDir } from "./discover.ts";

const root = join(functionsDir, "..");
const bin = join(root, "node_modules/.bin");
const env = { ...process.env, PATH: [bin, process.env.PATH].join(delimiter) };

const checks: readonly [title: string, command: string, ...args: string[]][] = [
  ["format and lint", "biome", "ci", "."],
  ["types", "tsc", "--project", "."],
  ["types of the page", "tsc", "--project", "functions/ui/page"],
  ["proto lint", "buf", "lint", "proto"],
  ["wire contract", "buf", "breaking", "proto", "--against", "proto/wire-contract.json"],
  [
    "generated files",
    process.execPath,
    join(functionsDir, "local/generate/generate.ts"),
    "--check",
  ],
];

for (const [title, command, ...args] of checks) {
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: "inherit" });
  process.stdout.write(`${status === 0 ? "ok" : "FAILED"}: ${title}\n`);
  if (error) process.stderr.write(`${command}: ${error.message}\n`);
  if (status !== 0) process.exitCode = 1;
}
