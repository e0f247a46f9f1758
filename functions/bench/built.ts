/** Functions as they are in their images: bundled, with a filled compile cache. */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { functionsDir } from "../local/discover.ts";
import { type Image, imageOf } from "./image.ts";

export interface Built extends AsyncDisposable {
  folderOf(name: string): string;
  imageOf(name: string): Image;
}

/** `from` is the functions/ folder of another clone. */
export async function buildFunctions(
  names: readonly string[],
  from: string = functionsDir,
): Promise<Built> {
  const root = await mkdtemp(join(tmpdir(), "bench-"));
  const folderOf = (name: string) => join(root, name);
  const dispose = () => rm(root, { recursive: true, force: true });
  try {
    for (const name of names) {
      // A process of its own, as in the build: an import of the declaration stays in the memory of ours.
      run([join(from, "bundle.ts"), name, folderOf(name)], {});
      for (const { args, env } of imageOf(name, folderOf(name)).prepare) run(args, env);
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    folderOf,
    imageOf: (name) => imageOf(name, folderOf(name)),
    [Symbol.asyncDispose]: dispose,
  };
}

function run(args: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status, stderr } = spawnSync(process.execPath, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`node ${args.join(" ")} failed: ${stderr}`);
}
