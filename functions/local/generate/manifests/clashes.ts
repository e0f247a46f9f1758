/**
 * Name clashes between declarations that are each valid: a function named "service-d-source" would share its account
 * with the source of the queue service-d, and with it that account's rights.
 */
import type { Found } from "./found.ts";
import type { Part } from "./written.ts";

/** Applied to every environment, or by one component of it. */
const folders = /^(knative\/(base|components)|istio\/base)\//;

/** A sentence for each file, and each object, that two would write. */
export function clashesOf(parts: readonly Part[], found: ReadonlyMap<string, Found>): string[] {
  const objects = new Map<string, string>([
    ["ServiceAccount default", "Kubernetes' own, in each namespace"],
  ]);
  const files = new Set<string>();
  const problems: string[] = [];
  for (const [path, file] of found) {
    if (file.generated || !folders.test(path)) continue;
    for (const object of file.objects) objects.set(titleOf(object), path);
  }
  for (const [path, source, written] of parts) {
    if (files.has(path) || found.get(path)?.generated === false) {
      problems.push(`${source}: ${path} is there already, for something else: choose another name`);
    }
    files.add(path);
    for (const { object } of written) {
      const title = titleOf(object);
      const other = objects.get(title);
      if (other && !title.endsWith(" undefined")) {
        problems.push(`${source}: ${title} of ${path} is in ${other} too: choose another name`);
      }
      objects.set(title, path);
    }
  }
  return problems;
}

function titleOf(object: Found["objects"][number]): string {
  return `${object.kind} ${object.metadata?.name}`;
}
