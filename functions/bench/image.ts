/**
 * What functions/Dockerfile says about a function's start, read from it: the command line, the environment, and
 * what is run in the build to fill the compile cache. So a measurement has the flags that the images have.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { functionsDir } from "../local/discover.ts";

export interface Start {
  /** For Node, which is the image's entry point. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Image {
  /** Run once in the build, in this order, where the function will run. */
  readonly prepare: readonly Start[];
  readonly start: Start;
}

const dockerfile = join(functionsDir, "Dockerfile");
/** Where a function is in its image. */
const inImage = "/app";

/** As for a function whose files are in `folder` in place of the image's own. */
export function imageOf(
  name: string,
  folder: string,
  text = readFileSync(dockerfile, "utf8"),
): Image {
  const here = (value: string) =>
    value
      .replace(/^"(.*)"$/, "$1")
      .replaceAll(/\$\{FUNCTION\}|\$FUNCTION\b/g, name)
      .replaceAll(/\/app(?=\/|$)/g, folder);
  const stages = stagesOf(text)
    .slice(1)
    .map((instructions) => {
      const env: Record<string, string> = {};
      const runs: Start[] = [];
      let command: Start | undefined;
      for (const line of instructions) {
        const [, word = "", rest = ""] = /^(\w+)\s+(.*)$/s.exec(line) ?? [];
        if (word === "ENV") {
          for (const [, key = "", value = ""] of rest.matchAll(/(\w+)=("[^"]*"|\S+)/g)) {
            env[key] = here(value);
          }
        } else if (word === "RUN" && rest.startsWith("[")) {
          const [, ...args]: string[] = JSON.parse(rest);
          runs.push({ args: args.map(here), env: { ...env } });
        } else if (word === "CMD") command = { args: JSON.parse(rest).map(here), env };
      }
      return { runs, command };
    });
  const start = stages.at(-1)?.command;
  if (!start?.args.some((one) => one.startsWith(folder))) {
    throw new Error(`${dockerfile} has no CMD in its last stage that runs a file of ${inImage}`);
  }
  return { start, prepare: stages.flatMap(({ runs }) => runs) };
}

/** The instructions of each stage, the first being what is before all stages. */
function stagesOf(text: string): string[][] {
  const lines = text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const stages: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith("FROM ")) stages.push([]);
    stages.at(-1)?.push(line);
  }
  return stages;
}
