/** The generator's work on a copy of knative/ and istio/, for other functions than there are. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";
import { type Deployable, functionsDir, loadFunctions } from "../../local/discover.ts";
import { manifestFiles } from "../../local/generate/manifests/manifest-files.ts";
import { platformFunctions } from "./orders.ts";

export interface GeneratedCopy extends AsyncDisposable {
  readonly root: string;
  /** Writes what follows from these functions, and deletes what is left of others. */
  generate(functions: readonly Deployable[]): Promise<void>;
  /** All files by their paths. */
  content(): Promise<Map<string, string>>;
}

/**
 * The platform's own manifests until the test file ends, for tests of certain names: the repository's, without `root`; a
 * copy, where the clone has more functions.
 */
export async function usePlatformManifests(): Promise<{
  functions: readonly Deployable[];
  root?: string;
}> {
  const functions = await platformFunctions();
  if (functions.length === (await loadFunctions()).length) return { functions };
  const copy = await copyManifests();
  after(() => copy[Symbol.asyncDispose]());
  await copy.generate(functions);
  return { functions, root: copy.root };
}

export async function copyManifests(): Promise<GeneratedCopy> {
  const root = await mkdtemp(join(tmpdir(), "manifests-"));
  for (const name of ["knative", "istio", "skaffold.yaml", "package.json"]) {
    await cp(join(functionsDir, "..", name), join(root, name), { recursive: true });
  }
  return {
    root,
    async generate(functions) {
      const { files, left } = await manifestFiles(root, functions);
      for (const [path, text] of files) {
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, text);
      }
      for (const path of left) await rm(path);
    },
    async content() {
      const entries = await readdir(root, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile());
      const texts = files.map(async ({ parentPath, name }): Promise<[string, string]> => {
        const path = join(parentPath, name);
        return [path.slice(root.length + 1), await readFile(path, "utf8")];
      });
      return new Map((await Promise.all(texts)).sort());
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  };
}
