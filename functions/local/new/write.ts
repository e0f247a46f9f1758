import { spawnSync } from "node:child_process";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { functionsDir, localDir } from "../discover.ts";
import { root, toolEnv } from "../tool-env.ts";
import { functionText } from "./function-text.ts";
import type { Plan } from "./plan.ts";
import { testText } from "./test-text.ts";

/** All files or none: they are written elsewhere and moved as one. */
export async function writeFunction(plan: Plan): Promise<void> {
  const { name } = plan;
  const files = { "index.ts": functionText(plan), "index.test.ts": testText(plan) };
  const draft = join(localDir, `new-${process.pid}`);
  try {
    await mkdir(draft, { recursive: true });
    for (const [file, text] of Object.entries(files)) {
      await writeFile(join(draft, file), format(join("functions", name, file), text));
    }
    await rename(draft, join(functionsDir, name));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

/** As `npm run format` would leave it. */
function format(file: string, text: string): string {
  const { status, stdout, stderr, error } = spawnSync(
    "biome",
    ["check", "--write", `--stdin-file-path=${file}`],
    { cwd: root, env: toolEnv, encoding: "utf8", input: text },
  );
  if (status === 0) return stdout;
  throw new Error(`${file} cannot be formatted: ${error?.message ?? stderr}`);
}
