import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Definition } from "#host/kinds/definition";
import { readDeclaration } from "../declarations/read.ts";
import { problemsIn } from "../declarations/rules.ts";
import { type Deployable, houseFolders } from "../discover.ts";
import { UsageError } from "../options.ts";
import { resolveAsOurs } from "./folder.ts";

/** `service.version` of the spans of a function that has a canary, and of the canary's. */
export const versions = { own: "v1", canary: "v2" } as const;

/** A second version of a function, behind the same name. */
export interface Canary {
  /** The function. */
  readonly of: string;
  /** "service-c v2": its process and its node in the graph. */
  readonly name: string;
  /** Where its index.ts is: an absolute path. */
  readonly folder: string;
  /** Its part of each caller's calls. */
  readonly percent: number;
  readonly definition: Definition;
}

export interface CanaryOption extends Pick<Canary, "of" | "folder" | "percent"> {
  /** As it was typed. */
  readonly text: string;
}

const defaultPercent = 10;

/** Reads "service-c=FOLDER" or "service-c=FOLDER:25"; the share is in percent. */
export function parseCanary(text: string): CanaryOption {
  const [, of, folder, percent = defaultPercent] = /^([^=]+)=(.+?)(?::(\d+))?$/.exec(text) ?? [];
  if (of === undefined || folder === undefined) {
    throw new UsageError(
      `--canary ${text}: FUNCTION=FOLDER or FUNCTION=FOLDER:PERCENT is expected`,
    );
  }
  if (Number(percent) < 1 || Number(percent) > 99) {
    throw new UsageError(`--canary ${text}: a share of 1 to 99 percent is expected`);
  }
  return { text, of, folder: resolve(folder), percent: Number(percent) };
}

/** Loads the folder's declaration. Throws a UsageError that says what the folder has to hold. */
export async function loadCanary(
  { text, of, folder, percent }: CanaryOption,
  functions: readonly Deployable[],
): Promise<Canary> {
  const wrong = (why: string) => new UsageError(`--canary ${text}: ${why}`);
  const called = functions.filter(({ definition }) => definition && !isEntry(definition));
  if (!called.some(({ name }) => name === of)) {
    const names = called.map(({ name }) => name).join(", ");
    throw wrong(`no function that others call is named ${of}; there are ${names}`);
  }
  if (!existsSync(join(folder, "index.ts"))) {
    throw wrong(`${folder} has no index.ts; a folder like functions/${of} is expected, or a copy`);
  }
  resolveAsOurs(folder);
  const { definition, failure } = await readDeclaration(dirname(folder), basename(folder));
  if (failure) throw wrong(`${failure.file}:${failure.line}: ${failure.reason}`);
  if (definition?.name !== of) {
    throw wrong(`${folder} declares "${definition?.name}", and not another version of ${of}`);
  }
  const declared = functions.map((one) => {
    const whole = one.name === of ? definition : one.definition;
    return { folder: one.name, ...(whole && { definition: whole }) };
  });
  const [problem] = problemsIn(declared, houseFolders).filter((one) => one.folder === of);
  if (problem) throw wrong(`${join(folder, "index.ts")}: ${problem.text}`);
  return { of, name: `${of} ${versions.canary}`, folder, percent, definition };
}

/** These are called from outside, by addresses that no function reads. */
function isEntry({ kind }: Definition): boolean {
  return kind === "gateway" || kind === "ui" || kind === "bridge";
}
