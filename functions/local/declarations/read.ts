import { readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { getFunction } from "@google-cloud/functions-framework/testing";
import { reasonOf } from "#host/base/errors";
import type { Definition } from "#host/kinds/definition";
import type { Declared, LoadFailure } from "./declared.ts";
import { lineOf } from "./locate.ts";

/** Imports the function's file, which opens nothing. One that cannot be loaded is not thrown. */
export async function readDeclaration(root: string, folder: string): Promise<Declared> {
  const file = join(root, folder, "index.ts");
  try {
    const module: { default?: unknown } = await import(pathToFileURL(file).href);
    const exported = module.default;
    if (isDefinition(exported)) return { folder, definition: exported };
    if (exported === undefined && getFunction(folder)) return { folder };
    const reason =
      exported === undefined
        ? `there is no default export, and no handler that functions-framework knows as "${folder}"`
        : "the default export is not a declaration: export default handler({ … }) is expected";
    return { folder, failure: { file, line: 1, reason } };
  } catch (thrown) {
    return { folder, failure: failureOf(thrown, file, root) };
  }
}

function isDefinition(value: unknown): value is Definition {
  return typeof value === "object" && value !== null && "open" in value && "problems" in value;
}

/** Node leads the stack of a syntax error by its place, and names the importer of what is missing. */
function failureOf(thrown: unknown, file: string, root: string): LoadFailure {
  const reason = reasonOf(thrown).replaceAll(join(root, "..", sep), "");
  const [, specifier = "", importer] =
    /^Cannot find (?:module|package) '(.+?)' imported from (.+)$/m.exec(reasonOf(thrown)) ?? [];
  if (importer) {
    const where = importer.startsWith("file:") ? fileURLToPath(importer) : importer;
    const base = specifier.split(/[\\/]/).at(-1) ?? "";
    const line = lineOf(readFileSync(where, "utf8"), (text) => text.includes(base));
    return { file: where, line: line ?? 1, reason };
  }
  const stack = thrown instanceof Error ? (thrown.stack ?? "") : "";
  for (const [, place = "", line] of stack.matchAll(/((?:file:\/\/)?[^\s()]+\.ts):(\d+)/g)) {
    const where = place.startsWith("file:") ? fileURLToPath(place) : place;
    if (where.startsWith(root)) return { file: where, line: Number(line), reason };
  }
  return { file, line: 1, reason };
}
