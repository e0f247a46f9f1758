/** The part of a bundle's source map that stacks need: a start with all of it takes 150 ms and 70 MiB more. */
import { relative, resolve, sep } from "node:path";

export interface SourceMapJson {
  readonly version: number;
  readonly sources: readonly string[];
  readonly mappings: string;
}

/** The sources of a map in `folder`, relative to `root`. */
export function sourcesOf(
  { sources }: SourceMapJson,
  { folder, root }: { folder: string; root: string },
): string[] {
  return sources.map((source) => relative(root, resolve(folder, source)).split(sep).join("/"));
}

/**
 * Keeps every mapping of the repository's own files, and of a package's file that it is this one. `folder` is that of
 * the map, whose sources become relative to `root`.
 */
export function stackMapOf(
  map: SourceMapJson,
  places: { folder: string; root: string },
): SourceMapJson {
  const { version, mappings } = map;
  const paths = sourcesOf(map, places);
  const isPackage = paths.map((path) => path.includes("node_modules/"));
  const read = { source: 0, line: 0, column: 0 };
  const written = { source: 0, line: 0, column: 0 };
  const lines = mappings.split(";").map((line) => {
    let generated = 0;
    let writtenGenerated = 0;
    let last = "";
    const kept: string[] = [];
    for (const segment of line.split(",")) {
      const [column = 0, source, ...place] = decode(segment);
      generated += column;
      if (source === undefined) continue;
      read.source += source;
      read.line += place[0] ?? 0;
      read.column += place[1] ?? 0;
      const at = isPackage[read.source] ? { source: read.source, line: 0, column: 0 } : read;
      const key = [at.source, at.line, at.column].join();
      if (key === last) continue;
      last = key;
      const moves = [
        generated - writtenGenerated,
        at.source - written.source,
        at.line - written.line,
        at.column - written.column,
      ];
      kept.push(moves.map(encode).join(""));
      writtenGenerated = generated;
      Object.assign(written, at);
    }
    return kept.join(",");
  });
  return { version, sources: paths, mappings: lines.join(";") };
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Numbers as a source map has them: base64 digits of five bits, the lowest first, each with a bit for "goes on". */
export function decode(segment: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const character of segment) {
    const digit = digits.indexOf(character);
    value |= (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    value = 0;
    shift = 0;
  }
  return numbers;
}

function encode(number: number): string {
  let value = number < 0 ? (-number << 1) | 1 : number << 1;
  let text = "";
  do {
    const digit = value & 31;
    value >>>= 5;
    text += digits[value > 0 ? digit | 32 : digit];
  } while (value > 0);
  return text;
}
