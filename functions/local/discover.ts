import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Definition } from "#host/kinds/definition";
import { checkDeclarations } from "./declarations/check.ts";
import { readDeclaration } from "./declarations/read.ts";

export const functionsDir = fileURLToPath(new URL("..", import.meta.url));

/** The clone's hidden folder: data of the services, downloads, and what is running. */
export const localDir = fileURLToPath(new URL("../../.local", import.meta.url));

/** Folders under functions/ that are not functions, though they may hold an index.ts. */
export const houseFolders: readonly string[] = ["host", "local", "test", "bench", "chaos"];

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
  return !houseFolders.includes(folder) && existsSync(join(root, folder, "index.ts"));
}

/**
 * The same with their definitions, which are data: importing one opens nothing. Throws a DeclarationError that
 * lists everything that is wrong with any of them.
 */
export async function loadFunctions(root = functionsDir): Promise<Deployable[]> {
  const declared = await Promise.all(
    functionNames(root).map((name) => readDeclaration(root, name)),
  );
  checkDeclarations(declared, { root, house: houseFolders });
  return declared.map(({ folder, definition }) => ({
    name: folder,
    ...(definition && { definition }),
  }));
}
