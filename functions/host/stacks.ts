/**
 * Runs first in a bundle: stacks name the repository's files, lines and columns, and a package's file with the place in
 * the bundle. Node's --enable-source-maps reads the map of every package for that with each start; this reads a small
 * map (functions/stack-map.ts) with the first stack.
 */
import { readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { join } from "node:path";

/** Node's own, which adds to V8's what its errors need. */
const format = Error.prepareStackTrace;
const file = join(import.meta.dirname, "main.js");
let map: SourceMap | undefined;

Error.prepareStackTrace = (error, frames) => {
  const stack: string = format?.(error, frames) ?? String(error);
  return stack.includes(file) ? stack.replace(placePattern, placeOf) : stack;
};

const escaped = file.replace(/[^\w/]/g, "\\$&");
const placePattern = new RegExp(`(?:file://)?${escaped}:(\\d+):(\\d+)`, "g");

function placeOf(place: string, line: string, column: string): string {
  try {
    map ??= new SourceMap(JSON.parse(readFileSync(`${file}.stacks`, "utf8")) as SourceMapPayload);
    const entry = map.findEntry(Number(line) - 1, Number(column) - 1);
    if (!("originalSource" in entry)) return place;
    const { originalSource, originalLine, originalColumn } = entry;
    if (originalSource.includes("node_modules/")) return `${originalSource}, ${place}`;
    return `${originalSource}:${originalLine + 1}:${originalColumn + 1}`;
  } catch {
    // A stack without the map is better than none.
    return place;
  }
}
