/**
 * `npm run check`: declarations and what is generated from them, format and lint, types, the wire contract, and whether
 * the cluster's versions are still supported. All are run, whatever fails.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { functionsDir } from "./discover.ts";
import { toolEnv as env, root } from "./tool-env.ts";

const generated = "declarations and generated files";
const checks: readonly [title: string, command: string, ...args: string[]][] = [
  [generated, process.execPath, join(functionsDir, "local/generate/generate.ts"), "--check"],
  ["format and lint", "biome", "ci", "."],
  ["types", "tsc", "--project", "."],
  ["types of the page", "tsc", "--project", "functions/ui/page"],
  ["proto lint", "buf", "lint", "proto"],
  ["versions of the cluster", process.execPath, join(functionsDir, "local/pins.ts")],
  ["wire contract", "buf", "breaking", "proto", "--against", "proto/wire-contract.json"],
];

for (const [title, command, ...args] of checks) {
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: "inherit" });
  process.stdout.write(`${status === 0 ? "ok" : "FAILED"}: ${title}\n`);
  if (error) process.stderr.write(`${command}: ${error.message}\n`);
  // A declaration that is wrong is 2 here as everywhere.
  if (status !== 0)
    process.exitCode = title === generated && status === 2 ? 2 : process.exitCode || 1;
}
