/** Everything that is wrong with the functions' declarations, each by itself and all together, in one error. */
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Declared } from "./declared.ts";
import { lineOfProblem } from "./locate.ts";
import { problemsIn } from "./rules.ts";

/** Exit code 2 wherever it ends a command: nothing was started or written. */
export class DeclarationError extends Error {
  override readonly name = "DeclarationError";
}

/** Throws a DeclarationError that lists each problem with its file and line. */
export function checkDeclarations(
  declared: readonly Declared[],
  { root, house }: { root: string; house: readonly string[] },
): void {
  const said = (file: string, line: number, text: string) =>
    `${relative(join(root, ".."), file)}:${line}: ${text}`;
  const failures = declared.flatMap(({ failure }) =>
    failure ? [said(failure.file, failure.line, failure.reason)] : [],
  );
  const problems = problemsIn(declared, house).map(({ folder, text }) => {
    const file = join(root, folder, "index.ts");
    return said(file, lineOfProblem(readFileSync(file, "utf8"), text), text);
  });
  // What several import fails each of them, at the same place.
  const all = [...new Set([...failures, ...problems])];
  if (all.length === 0) return;
  const title =
    all.length === 1
      ? "One problem in the declarations of the functions:"
      : `${all.length} problems in the declarations of the functions:`;
  throw new DeclarationError([title, ...all].join("\n"));
}
