/** Command-line tools that Go installs into the clone. */
import { spawnSync } from "node:child_process";

/** Installs a module's command, as in "example.com/tool@v1.0.0", into the folder. Throws what Go says when that fails. */
export function goInstall(module: string, folder: string): void {
  const { status, stderr, error } = spawnSync("go", ["install", module], {
    env: { ...process.env, GOBIN: folder, GOFLAGS: "-mod=mod" },
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${module}: ${error?.message ?? stderr}`);
}
