/** Lists within files that are otherwise written by hand: skaffold's artifacts, and what kustomize takes. */
import { Document, isSeq, parseDocument, type YAMLSeq } from "yaml";
import { textOf } from "./written.ts";

type Path = readonly (string | number)[];

/** The file's text with another list in it, and every other byte as it was. */
export function withList(text: string, path: Path, list: readonly unknown[]): string {
  const found = listAt(text, path);
  const [start, , end] = found.range ?? [];
  if (start === undefined || end === undefined) throw new Error(`${path.join(".")} has no place`);
  const lines = text.slice(0, start).split("\n");
  const indent = " ".repeat(lines.at(-1)?.length ?? 0);
  const own = textOf(new Document(list)).trimEnd().split("\n").join(`\n${indent}`);
  return `${text.slice(0, start)}${own}\n${text.slice(end)}`;
}

/** Where in a list the item of this name is. */
export function indexIn(text: string, path: Path, name: string): number {
  const items = listIn(text, path) as { name?: string }[];
  const index = items.findIndex((one) => one.name === name);
  if (index < 0) throw new Error(`${path.join(".")} has no ${name}`);
  return index;
}

export function listIn(text: string, path: Path): unknown[] {
  return listAt(text, path).toJSON();
}

function listAt(text: string, path: Path): YAMLSeq {
  const found = parseDocument(text).getIn(path, true);
  if (!isSeq(found) || found.flow)
    throw new Error(`there is no list ${path.join(".")}, one item a line`);
  return found;
}
