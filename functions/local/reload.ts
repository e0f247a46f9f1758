import { join, relative, sep } from "node:path";
import { functionsDir, isFunction } from "./discover.ts";
import { watchFolder } from "./folder-watcher.ts";
import type { FunctionProcess } from "./function-process.ts";
import type { Graph } from "./graph.ts";

export interface Reloader {
  /** Hears what each function has loaded. */
  onImport(name: string, file: string): void;
  watch(graph: Graph): void;
  close(): void;
}

/** Restarts, when a file is saved, the functions that have loaded it, and no others. */
export function createReloader(report: (line: string) => void): Reloader {
  const imports = new Map<string, Set<string>>();
  const restarting = new Map<string, { again: boolean }>();
  const watchers: { close(): void }[] = [];

  const restart = async (process: FunctionProcess, why: string) => {
    const { name, inspectPort } = process;
    const attach = inspectPort ? `; a debugger attaches again to 127.0.0.1:${inspectPort}` : "";
    const current = restarting.get(name);
    if (current) {
      current.again = true;
      return;
    }
    const state = { again: true };
    restarting.set(name, state);
    while (state.again) {
      state.again = false;
      const since = performance.now();
      try {
        await process.stop();
        imports.delete(name);
        await process.start();
        report(
          `${name} restarted in ${Math.round(performance.now() - since)} ms: ${why} was saved${attach}`,
        );
      } catch (error) {
        report(`${(error as Error).message}\nSave again and ${name} is tried again.`);
      }
    }
    restarting.delete(name);
  };

  const onSave = (graph: Graph, files: ReadonlySet<string>) => {
    for (const [name, folder] of foldersOf(graph)) {
      const process = graph.function(name);
      // What does not run may wait for a file that it could not even ask for; what its folder holds
      // besides, it reads or builds: ui's page.
      const own = join(folder, sep);
      const cause = [...files].find(
        (file) =>
          process.stopped ||
          imports.get(name)?.has(file) ||
          (file.startsWith(own) && !file.endsWith(".test.ts")),
      );
      const path = cause && relative(join(functionsDir, ".."), cause);
      if (path) void restart(process, path.startsWith("..") ? cause : path);
    }
    const folders = [...files].map((file) => relative(functionsDir, file).split(sep)[0] ?? "");
    for (const folder of new Set(folders)) {
      if (!isFunction(folder) || graph.addresses.has(folder)) continue;
      report(`functions/${folder} is new: end npm run dev and type it again, to run it too.`);
    }
  };

  return {
    onImport(name, file) {
      const files = imports.get(name) ?? new Set();
      imports.set(name, files.add(file));
    },
    watch(graph) {
      const outside = graph.canary?.folder.startsWith(functionsDir) ? undefined : graph.canary;
      const roots = [functionsDir, join(functionsDir, "../proto"), outside?.folder];
      for (const root of roots.filter((one) => one !== undefined)) {
        watchers.push(watchFolder(root, (files) => onSave(graph, files)));
      }
    },
    close() {
      for (const watcher of watchers) watcher.close();
    },
  };
}

function foldersOf({ functions, canary }: Graph): [name: string, folder: string][] {
  return [
    ...functions.map(({ name }): [string, string] => [name, join(functionsDir, name)]),
    ...(canary ? [[canary.name, canary.folder] as [string, string]] : []),
  ];
}
