import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Definition } from "#host/kinds/definition";

export const functionsDir = fileURLToPath(new URL("..", import.meta.url));

/** The clone's hidden folder: data of the services, downloads, and what is running. */
export const localDir = fileURLToPath(new URL("../../.local", import.meta.url));

/** Folders under functions/ that are no functions, though they may hold an index.ts. */
const libraries = ["host", "local", "test", "bench"];

export interface Deployable {
  name: string;
  /** Absent for a handler that is registered with functions-framework directly. */
  definition?: Definition;
}

/** Every deployable function, in alphabetical order: a folder with an index.ts. */
export function functionNames(root = functionsDir): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && isFunction(entry.name, root))
    .map(({ name }) => name)
    .sort();
}

export function isFunction(folder: string, root = functionsDir): boolean {
  return !libraries.includes(folder) && existsSync(join(root, folder, "index.ts"));
}

/** The same with their definitions, which are data: importing one opens nothing. */
export function loadFunctions(root = functionsDir): Promise<Deployable[]> {
  return Promise.all(functionNames(root).map((name) => loadFunction(root, name)));
}

async function loadFunction(root: string, name: string): Promise<Deployable> {
  const file = join(root, name, "index.ts");
  try {
    const module: { default?: Definition } = await import(pathToFileURL(file).href);
    return { name, ...(module.default && { definition: module.default }) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`functions/${name}/index.ts cannot be loaded: ${reason}`, { cause });
  }
}
