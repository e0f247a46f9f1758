/** What kustomize makes of knative/ and istio/, as objects. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { functionsDir } from "../../local/discover.ts";
import { kustomize, outputOf } from "./tools.ts";

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

const repository = join(functionsDir, "..");
const built = new Map<string, string>();

/** The folders of knative/overlays or istio/overlays. */
export function overlaysOf(part: "knative" | "istio"): string[] {
  return readdirSync(join(repository, part, "overlays")).sort();
}

/** The folder of mesh rules that goes with an overlay: its own, as dev-external has, or its environment's. */
export function meshOf(overlay: string): string {
  const [environment = overlay] = overlay.split("-");
  return `istio/overlays/${overlaysOf("istio").includes(overlay) ? overlay : environment}`;
}

/** Builds a folder of the root, such as knative/overlays/dev; the objects are the caller's own. */
export function build(path: string, root = repository): Manifest[] {
  const folder = join(root, path);
  const text = built.get(folder) ?? outputOf([...kustomize(), folder]);
  built.set(folder, text);
  return parse(text);
}

export function parse(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS());
}

/** How a manifest is named in a problem, and chosen in a test. */
export function titleOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.name}`;
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

/** Writes a part by its path; undefined takes it away. What it lies in must be there. */
export function set(manifest: object, path: string, value: unknown): void {
  const segments = path.split(".");
  const last = segments.pop() ?? "";
  const owner = segments.length > 0 ? at<object>(manifest, segments.join(".")) : manifest;
  assert.ok(owner, path);
  if (value === undefined) Reflect.deleteProperty(owner, last);
  else Reflect.set(owner, last, value);
}
