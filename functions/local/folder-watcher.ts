import { type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { join } from "node:path";

/** Editors write in several steps: a pause of this length ends one save. */
const quietMs = 30;

/**
 * Reports the files that were saved under a folder, one list per save.
 *
 * Every folder is watched by itself: fs.watch with `recursive` follows single files on Linux, and
 * loses a file that an editor replaces by renaming (seen on Node 24.21).
 */
export function watchFolder(
  root: string,
  onSave: (files: ReadonlySet<string>) => void,
): { close(): void } {
  const watchers = new Map<string, FSWatcher>();
  let saved = new Set<string>();
  let quiet: NodeJS.Timeout | undefined;

  const add = (file: string) => {
    saved.add(file);
    clearTimeout(quiet);
    quiet = setTimeout(() => {
      const files = saved;
      saved = new Set();
      onSave(files);
    }, quietMs);
  };
  const follow = (folder: string) => {
    watchers.get(folder)?.close();
    const watcher = watch(folder, (_event, name) => name && changed(join(folder, name)));
    watcher.on("error", () => watcher.close()); // the folder is gone
    watchers.set(folder, watcher);
    return readdirSync(folder, { withFileTypes: true });
  };
  const followAll = (folder: string, tell: (file: string) => void) => {
    for (const entry of follow(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) followAll(path, tell);
      else tell(path);
    }
  };
  const changed = (path: string) => {
    // A folder that is new, or was put in place of another, may hold files already.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) followAll(path, add);
    else add(path);
  };
  followAll(root, () => {});
  return {
    close() {
      clearTimeout(quiet);
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}
