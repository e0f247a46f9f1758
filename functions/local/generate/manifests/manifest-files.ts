/**
 * Everything in knative/, istio/ and skaffold.yaml that follows from the definitions:
 *   knative-service  each function             source, queue   each consumed queue, and its declaration
 *   authorization    who may call whom (edges) domains         the addresses of public functions
 *   bridge           in place of the sources   release         prod's images
 *   budgets          prod's instances while nodes are drained
 *   wake             what a first request wakes
 *   skaffold         what is built, and what is carried into a container
 * Settings, namespace, overlays, the other components and the mesh are written by hand.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { sourcesOf } from "../../declared-graph.ts";
import type { Deployable } from "../../discover.ts";
import { activatorPolicies, callerPolicies } from "./authorization.ts";
import { bridgeComponent, bridgeDeployment } from "./bridge.ts";
import { disruptionBudgets } from "./budgets.ts";
import { clashesOf } from "./clashes.ts";
import { domainsOf } from "./domains.ts";
import { foundBelow } from "./found.ts";
import { knativeService } from "./knative-service.ts";
import { listIn, withList } from "./lists.ts";
import { declareQueues } from "./queue.ts";
import { releaseImages } from "./release.ts";
import { withArtifacts } from "./skaffold.ts";
import { rabbitmqSource } from "./source.ts";
import { fileOf, type Part, type Written } from "./written.ts";

export interface ManifestFiles {
  /** By path, with the text that they should hold. */
  readonly files: ReadonlyMap<string, string>;
  /** Of functions and queues that are gone. */
  readonly left: readonly string[];
}

const everyFunction = "functions/*/index.ts";

/** Throws an error that lists every two objects, or files, of one name. */
export async function manifestFiles(
  root: string,
  functions: readonly Deployable[],
): Promise<ManifestFiles> {
  const parts = await partsOf(root, functions);
  const found = await foundBelow(root, ["knative", "istio"]);
  const clashes = clashesOf(parts, found);
  if (clashes.length > 0) throw new Error(clashes.join("\n"));
  const files = new Map(parts.map(([path, source, written]) => [path, fileOf(source, written)]));
  const left = [...found].filter(([path, one]) => one.generated && !files.has(path));

  const base = "knative/base/kustomization.yaml";
  const text = await readFile(join(root, base), "utf8");
  const isOurs = (name: string) => {
    const file = found.get(`knative/base/${name}`);
    return /^[^/]+\.yaml$/.test(name) && (file === undefined || file.generated);
  };
  const byHand = listIn(text, ["resources"]).filter((name) => !isOurs(`${name}`));
  const ours = parts.flatMap(([path]) => /^knative\/base\/(.+)$/.exec(path)?.[1] ?? []);
  files.set(base, withList(text, ["resources"], [...byHand, ...ours]));
  files.set(
    "skaffold.yaml",
    withArtifacts(await readFile(join(root, "skaffold.yaml"), "utf8"), functions),
  );
  return {
    files: new Map([...files].map(([path, content]) => [join(root, path), content])),
    left: left.map(([path]) => join(root, path)),
  };
}

async function partsOf(root: string, functions: readonly Deployable[]): Promise<Part[]> {
  const definitions = functions.flatMap(({ definition }) => definition ?? []);
  const bridges = definitions.filter(({ kind }) => kind === "bridge");
  const services = functions.filter(({ definition }) => definition?.kind !== "bridge");
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const queues = declareQueues(definitions);
  const sources = sourcesOf(definitions).flatMap(rabbitmqSource);
  const of = (name: string) => `functions/${name}/index.ts`;
  const all = (path: string, ...written: Written[]): Part => [path, everyFunction, written];
  return [
    ...services.map(
      (one): Part => [`knative/base/${one.name}.yaml`, of(one.name), knativeService(one, services)],
    ),
    ...(queues ? [all("knative/base/queue.yaml", queues)] : []),
    ...(sources.length > 0 ? [all("knative/base/source.yaml", ...sources)] : []),
    ...bridges.map((one): Part => {
      return [`knative/components/bridge/${one.name}.yaml`, of(one.name), bridgeDeployment(one)];
    }),
    all(
      "knative/components/bridge/kustomization.yaml",
      bridgeComponent(
        bridges.map(({ name }) => name),
        definitions,
      ),
    ),
    all(
      "knative/components/release/kustomization.yaml",
      releaseImages(
        services.map(({ name }) => name),
        version,
      ),
    ),
    all(
      "knative/components/standing/budgets.yaml",
      ...disruptionBudgets(services.map(({ name }) => name)),
    ),
    ...(await environmentsIn(root)).map((environment) => {
      const written = domainsOf(environment, definitions);
      return all(`knative/overlays/${environment}/domains.yaml`, ...written);
    }),
    all("istio/base/callers.yaml", ...callerPolicies(services, definitions)),
    all("istio/base/activator.yaml", ...activatorPolicies(services, definitions)),
  ];
}

/** A dash in an overlay's name sets a variant of an environment apart from the environment itself. */
async function environmentsIn(root: string): Promise<string[]> {
  const overlays = await readdir(join(root, "knative/overlays"));
  return overlays.filter((name) => !name.includes("-")).sort();
}
