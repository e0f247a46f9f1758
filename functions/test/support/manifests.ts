/** What kustomize makes of knative/ and istio/, as objects. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { functionsDir, localDir } from "../../local/discover.ts";
import { which } from "../../local/services/process.ts";

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  [part: string]: unknown;
}

const root = join(functionsDir, "..");

/** Pinned, where it has to be fetched; any kustomize 5 does. */
const kustomizeModule = "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1";

/** The folders of knative/overlays or istio/overlays. */
export function overlaysOf(part: "knative" | "istio"): string[] {
  return readdirSync(join(root, part, "overlays")).sort();
}

/** Builds a folder of the repository, such as knative/overlays/dev; throws kustomize's own words. */
export function build(folder: string): Manifest[] {
  const [file = "", ...args] = kustomize();
  const { status, stdout, stderr, error } = spawnSync(file, [...args, join(root, folder)], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${folder}: ${stderr}`, { cause: error });
  return parseAllDocuments(stdout).map((document) => document.toJS());
}

/**
 * The command that builds: kustomize or kubectl of this machine, else kustomize by Go into the cache of the clone.
 * Throws where there is none of them, saying what to install.
 */
function kustomize(): string[] {
  const { env } = process;
  const cached = join(localDir, "cache/tools");
  const own = which("kustomize", env) ?? which("kustomize", { PATH: cached });
  if (own) return [own, "build"];
  const kubectl = which("kubectl", env);
  if (kubectl) return [kubectl, "kustomize"];
  const go = which("go", env);
  if (!go)
    throw new Error("the manifests are built with kubectl or kustomize: install one of them");
  const { status, stderr } = spawnSync(go, ["install", kustomizeModule], {
    env: { ...env, GOBIN: cached, GOFLAGS: "-mod=mod" },
    encoding: "utf8",
  });
  if (status !== 0 || !existsSync(join(cached, "kustomize"))) throw new Error(stderr);
  return [join(cached, "kustomize"), "build"];
}

/**
 * A part by its path, such as "spec.template.spec.containers.0.image". A segment may hold no dot: labels are
 * read from the object that holds them.
 */
export function at<T>(manifest: object | undefined, path: string): T | undefined {
  let part: unknown = manifest;
  for (const segment of path.split(".")) part = (part as Record<string, unknown>)?.[segment];
  return part as T | undefined;
}
