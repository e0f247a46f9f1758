/** Command-line tools that the tests of the manifests use: this machine's own, or one that Go installs into the clone. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { functionsDir, localDir } from "../../local/discover.ts";
import { goInstall } from "../../local/go-install.ts";
import { which } from "../../local/services/process.ts";

export type Command = readonly [file: string, ...args: string[]];

const root = join(functionsDir, "..");
const { env } = process;
const folder = join(localDir, "cache/tools");

/** Pinned, where it has to be installed; any kustomize 5 does. */
const kustomizeModule = "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1";

let found: Command | Error | undefined;

/** What a tool prints on standard output; throws its own words where it fails. It runs in the repository's root. */
export function outputOf([file, ...args]: Command, input?: string): string {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    cwd: root,
    encoding: "utf8",
    ...(input !== undefined && { input }),
  });
  if (status === 0) return stdout;
  const words = [stderr, stdout, error?.message].filter(Boolean).join("\n");
  throw new Error(`${[file, ...args].join(" ")}: ${words}`);
}

/** A test's `skip` for a tool that is used only where it is at hand. */
export function without(tool: string): string | false {
  return which(tool, env) ? false : `${tool} is not on PATH`;
}

/** A test's `skip` where the manifests cannot be built. In CI they must be: nothing is skipped there, but fails. */
export function withoutKustomize(): string | false {
  found ??= findKustomize();
  return found instanceof Error && !env.CI ? found.message : false;
}

/** The command that builds a folder which is added to it; throws what to install where there is none. */
export function kustomize(): Command {
  found ??= findKustomize();
  if (found instanceof Error) throw found;
  return found;
}

function findKustomize(): Command | Error {
  const missing = "the manifests are built by kustomize 5 or kubectl 1.27, or newer";
  const kubectl = which("kubectl", env);
  const installed = join(folder, "kustomize");
  for (const own of [which("kustomize", env), which("kustomize", { PATH: folder })]) {
    if (own && isNew([own, "version"])) return [own, "build"];
  }
  // Its kustomize has a version of its own: Debian's kubectl knows no components.
  if (kubectl && isNew([kubectl, "version", "--client", "--output=json"])) {
    return [kubectl, "kustomize"];
  }
  if (!which("go", env))
    return new Error(`${missing}: install one of them, or Go, which then installs kustomize`);
  try {
    goInstall(kustomizeModule, folder);
    return [installed, "build"];
  } catch (thrown) {
    return new Error(`${missing}; Go's said: ${(thrown as Error).message}`);
  }
}

function isNew(command: Command): boolean {
  try {
    const [, major] = /(?:^|kustomize\/|kustomizeVersion": ")v(\d+)/.exec(outputOf(command)) ?? [];
    return Number(major) >= 5;
  } catch {
    return false;
  }
}
