/** The READMEs of this clone, as their tests read them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { functionsDir } from "../../local/discover.ts";

export const root = join(functionsDir, "..");

export interface Readme {
  /** Below the root: "functions/README.md". */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

export interface Block {
  readonly language: string;
  readonly text: string;
}

export interface ShownFile {
  /** Below the root: "functions/orders/index.ts". */
  readonly path: string;
  readonly text: string;
}

export interface ShownCommand {
  readonly command: string;
  /** What the README shows as its output. */
  readonly output: string;
}

export const paths = [
  "README.md",
  ...["functions", "knative", "istio"].map((d) => `${d}/README.md`),
];

export function readReadme(path: string): Readme {
  const text = readFileSync(join(root, path), "utf8");
  const blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(
    ([, language = "", inner = ""]) => ({ language, text: inner }),
  );
  return { path, text, blocks };
}

/** The rows of the table whose header begins with these cells. */
export function tableOf({ text, path }: Readme, header: string): string[] {
  const [, after] = text.split(`\n| ${header}`);
  if (after === undefined) throw new Error(`${path} has no table | ${header}`);
  const [rows = ""] = after.split("\n\n");
  return rows.trimEnd().split("\n").slice(2);
}

/** Headings as the anchors that GitHub makes of them. */
export function anchorsOf({ text }: Readme): string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, "");
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** Files that are shown whole: the first line of such a block is a comment with the path. */
export function filesIn({ blocks }: Readme): ShownFile[] {
  return blocks.flatMap(({ text }) => {
    const [, path, rest] = /^\/\/ (\S+\/\S+\.\w+)\n([\s\S]*)$/.exec(text) ?? [];
    return path && rest ? [{ path, text: rest }] : [];
  });
}

export function commandsIn({ blocks }: Readme): ShownCommand[] {
  return blocks
    .filter(({ language }) => language === "console")
    .flatMap(({ text }) => text.split(/^\$ /m).slice(1))
    .map((shown) => {
      const [command = "", output = ""] = shown.split(/\n([\s\S]*)/, 2);
      return { command, output };
    });
}

/** What an output has to look like: as shown, but for ids, times, ports and durations; "…" is anything. */
export function patternOf({ output }: ShownCommand): RegExp {
  const escaped = output.trim().replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = escaped
    .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, "[\\da-f-]{36}")
    .replace(/\d{4}-\d\d-\d\dT[\d:]+\\\.\d+Z/g, "\\S+?Z")
    .replace(/(127\\\.0\\\.0\\\.1|localhost):\d+/g, "$1:\\d+")
    .replace(/\d+\\\.\d+ (m?s)\b/g, "\\d+\\.\\d+ $1")
    .replace(/\s*…\s*/g, "[\\s\\S]*");
  return new RegExp(pattern);
}
