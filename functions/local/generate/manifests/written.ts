/** Objects as YAML that people read: with comments, and short lists on one line. */
import { Document, isMap, isPair, isScalar, isSeq, type Node, visit } from "yaml";

/** An object, with a comment before it (`about`) and comments before its parts (`notes`, by path). */
export interface Written {
  readonly about?: string;
  readonly object: object;
  readonly notes?: readonly (readonly [path: readonly (string | number)[], note: string])[];
}

/** One file: what it is made from, and what it holds. */
export type Part = readonly [path: string, source: string, written: readonly Written[]];

/** The first line of a generated file. Only such files are overwritten or deleted. */
const mark = "# Made by `npm run generate` from ";

export function isGenerated(text: string): boolean {
  return text.startsWith(mark);
}

/** Of a comment without its indentation, and of a list that is written on one line. */
const width = { comment: 100, list: 70 };

/** A whole file. `source` is what it is made from. */
export function fileOf(source: string, written: readonly Written[]): string {
  const texts = written.map(({ about, ...rest }) => {
    const lines = about ? commentOf(about).map((line) => `#${line}\n`) : [];
    return `${lines.join("")}${yamlOf(rest)}`;
  });
  return `${mark}${source}; edit that, and run it again.\n${texts.join("---\n")}`;
}

function yamlOf({ object, notes = [] }: Omit<Written, "about">): string {
  const document = new Document(object, { aliasDuplicateObjects: false });
  for (const [path, note] of notes)
    keyAt(document, path).commentBefore = commentOf(note).join("\n");
  return textOf(document);
}

/** A list's or a map's text by itself, with short lists on one line. */
export function textOf(document: Document): string {
  visit(document, {
    Seq(_, list) {
      list.flow =
        list.items.length > 0 && list.items.every(isScalar) && `${list}`.length < width.list;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** The node that carries the comment before a part. */
function keyAt(document: Document, path: readonly (string | number)[]): Node {
  const last = path.at(-1);
  const owner = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  const found = isMap(owner)
    ? owner.items.find((pair) => isPair(pair) && isScalar(pair.key) && pair.key.value === last)?.key
    : isSeq(owner) && owner.items[Number(last)];
  if (!found) throw new Error(`there is no ${path.join(".")} to write a comment before`);
  return found as Node;
}

function commentOf(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (longer.length > width.comment) lines.push(` ${word}`);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}
