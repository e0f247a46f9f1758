/** Small disks for the broker's and the database's data, which can be filled. Linux, as root. */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";

export interface SmallDisks {
  /** Leaves not a byte on the disk. */
  fill(of: "broker" | "database"): Promise<void>;
  free(of: "broker" | "database"): void;
  unmount(): void;
}

/** By the names of the folders that functions/local/services makes. */
const folders = { broker: ["rabbitmq"], database: ["mongodb", "secantusdb"] } as const;
const size = "700m";

/** Undefined where this process may not mount. */
export function mountSmallDisks(dataDir: string): SmallDisks | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
  const mounted: string[] = [];
  const unmount = () => {
    for (const path of mounted.splice(0)) spawnSync("umount", ["--lazy", path]);
  };
  for (const folder of Object.values(folders).flat()) {
    const path = join(dataDir, folder);
    mkdirSync(path, { recursive: true });
    const options = ["-t", "tmpfs", "-o", `size=${size},mode=700`, "tmpfs", path];
    if (spawnSync("mount", options).status !== 0) {
      unmount();
      return undefined;
    }
    mounted.push(path);
  }
  const ballast = (of: "broker" | "database") =>
    folders[of].map((folder) => join(dataDir, folder, "ballast"));
  return {
    async fill(of) {
      for (const path of ballast(of)) {
        await using file = await open(path, "w");
        for (const bytes of [1_048_576, 4_096]) while (await write(file, bytes));
      }
    },
    free(of) {
      for (const path of ballast(of)) rmSync(path, { force: true });
    },
    unmount,
  };
}

/** Whether there was room. */
async function write(file: FileHandle, bytes: number): Promise<boolean> {
  try {
    return (await file.write(Buffer.alloc(bytes))).bytesWritten === bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}
