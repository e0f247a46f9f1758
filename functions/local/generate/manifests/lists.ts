/** Lists within files that are otherwise written by hand: skaffold's artifacts, and what kustomize takes. */
import { Document, isSeq, parseDocument, type YAMLSeq } from "yaml";
import { textOf } from "./written.ts";

/** Names, and places in lists. */
export type ListPath = readonly (string | number)[];

/** The file's text with another list in it, and every other byte as it was. */
export function withList(text: string, path: ListPath, list: readonly unknown[]): string {
  const found = listAt(text, path);
  const [start, , end] = found.range ?? [];
  if (start === undefined || end === undefined) throw new Error(`${path.join(".")} has no place`);
  const lines = text.slice(0, start).split("\n");
  const indent = " ".repeat(lines.at(-1)?.length ?? 0);
  const own = textOf(new Document(list)).trimEnd().split("\n").join(`\n${indent}`);
  return `${text.slice(0, start)}${own}\n${text.slice(end)}`;
}

export function listIn(text: string, path: ListPath): unknown[] {
  return listAt(text, path).toJSON();
}

function listAt(text: string, path: ListPath): YAMLSeq {
  const found = parseDocument(text).getIn(path, true);
  if (!isSeq(found) || found.flow)
    throw new Error(`there is no list ${path.join(".")}, one item a line`);
  return found;
}
