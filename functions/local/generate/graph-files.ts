/**
 * The graph as data beside the functions that show or serve it. They get it as a file, so that their images do
 * not hold the other functions, and an image is built again only when what it shows has changed.
 */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Definition } from "#host/kinds/definition";
import { declaredGraph, sourcesOf } from "../declared-graph.ts";
import { type Deployable, functionsDir } from "../discover.ts";

/** What a kind is given of the graph, and in which file. */
const shares: Partial<Record<Definition["kind"], { file: string; empty: unknown }>> = {
  gateway: { file: "graph.json", empty: { nodes: [], edges: [] } },
  ui: { file: "graph.json", empty: { nodes: [], edges: [] } },
  bridge: { file: "sources.json", empty: [] },
};

/** By path, with the text that they should hold. */
export function graphFiles(functions: readonly Deployable[]): Map<string, string> {
  const definitions = functions.flatMap(({ definition }) => definition ?? []);
  const graph = declaredGraph(functions);
  const files = new Map<string, string>();
  for (const { name, kind } of definitions) {
    const share = shares[kind];
    if (!share) continue;
    const nodes = graph.nodes.map(({ routes: _, ...node }) => node);
    const content = {
      gateway: graph,
      // Routes are not drawn.
      ui: { ...graph, nodes },
      bridge: sourcesOf(definitions),
    }[kind as "gateway" | "ui" | "bridge"];
    files.set(join(functionsDir, name, share.file), `${JSON.stringify(content, null, 2)}\n`);
  }
  return files;
}

/** Puts empty files where they are missing, without which their functions cannot be loaded. */
export async function seedGraphFiles(): Promise<void> {
  for (const [name, { file, empty }] of Object.entries(shares)) {
    const path = join(functionsDir, name, file);
    if (existsSync(join(functionsDir, name)) && !existsSync(path)) {
      await writeFile(path, JSON.stringify(empty));
    }
  }
}

/** Writes those that are stale; returns their names below functions/. */
export async function refreshGraphFiles(functions: readonly Deployable[]): Promise<string[]> {
  const written: string[] = [];
  for (const [path, content] of graphFiles(functions)) {
    if ((await readFile(path, "utf8").catch(() => undefined)) === content) continue;
    await writeFile(path, content);
    written.push(path.slice(functionsDir.length));
  }
  return written;
}
