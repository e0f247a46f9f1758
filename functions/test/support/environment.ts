/** One environment as the rules see it: the objects of its overlays, and the definitions in functions/. */
import type { Definition } from "#host/kinds/definition";
import { at, build, type Manifest, meshOf } from "./manifests.ts";

export interface Environment {
  readonly namespace: string;
  readonly overlay: string;
  /** Of knative/overlays and istio/overlays. */
  readonly manifests: readonly Manifest[];
  /** Of istio/mesh, the same for every environment. */
  readonly mesh: readonly Manifest[];
  readonly definitions: readonly Definition[];
}

/** A rule's problems are sentences that name the object; a manifest that is right has none. */
export type Rule = (environment: Environment) => string[];

/** The path of a workload's first container: the same in a Knative Service, a Deployment and a Job. */
export const container = "spec.template.spec.containers.0";

/** Builds an overlay of knative/overlays with the mesh rules that go with it. */
export function environmentOf(overlay: string, definitions: readonly Definition[]): Environment {
  const [namespace = overlay] = overlay.split("-");
  const manifests = [`knative/overlays/${overlay}`, meshOf(overlay)].flatMap(build);
  return { namespace, overlay, manifests, mesh: build("istio/mesh"), definitions };
}

export function find({ manifests }: Environment, kind: string, name: string, group = "") {
  return manifests.find(
    (object) =>
      object.kind === kind && object.metadata.name === name && object.apiVersion.startsWith(group),
  );
}

/** Functions that are Knative Services: the bridge waits for messages, and is a Deployment where it is needed. */
export function servicesOf({ definitions }: Environment): Definition[] {
  return definitions.filter(({ kind }) => kind !== "bridge");
}

export function knativeService(environment: Environment, name: string): Manifest | undefined {
  return find(environment, "Service", name, "serving.knative.dev/");
}

/** The functions' Knative Services that are there; one that is not is another rule's problem. */
export function eachService(environment: Environment): [definition: Definition, Manifest][] {
  return servicesOf(environment).flatMap((definition): [Definition, Manifest][] => {
    const service = knativeService(environment, definition.name);
    return service ? [[definition, service]] : [];
  });
}

/** The function that consumes the queue where there is no RabbitmqSource, and whose definition says whom it is for. */
export function bridgeOf({ definitions }: Environment): Definition | undefined {
  return definitions.find(({ kind }) => kind === "bridge");
}

/** The account of the RabbitmqSource, which does what the bridge does elsewhere. */
export function sourceAccount(environment: Environment): string {
  return `${bridgeOf(environment)?.consumes}-source`;
}

/** The account of the way in from outside, as "namespace/account". */
export const ingress = "istio-system/istio-ingressgateway-service-account";

/** What people and browsers reach; whatever else is public is a mistake. */
export function isPublic({ kind }: Definition): boolean {
  return kind === "gateway" || kind === "ui";
}

/** Who may call a function: the callers that the graph declares, and the gateway, which triggers any. */
export function callersOf(environment: Environment, callee: Definition): string[] {
  if (isPublic(callee)) return [ingress];
  const { name } = callee;
  const declared = environment.definitions.filter(({ calls }) =>
    calls.some((call) => call.name === name),
  );
  const source = declared.some(({ kind }) => kind === "bridge") ? [sourceAccount(environment)] : [];
  return [...new Set(["gateway", ...declared.map((caller) => caller.name), ...source])].sort();
}

/** Who may reach the database or the broker: those whose definitions say that they write there or read from it. */
export function usersOf(environment: Environment, system: "mongodb" | "rabbitmq"): string[] {
  const users = environment.definitions.filter(
    ({ effects, consumes }) =>
      effects.some((effect) => effect.system === system) || (system === "rabbitmq" && consumes),
  );
  const names = users.map(({ name }) => name);
  return (system === "rabbitmq" ? [...names, sourceAccount(environment)] : names).sort();
}

/** Has a hosted broker and database: nothing of them, and no Secret, is in the manifests. */
export function isExternal({ overlay }: Environment): boolean {
  return overlay === "prod" || overlay.endsWith("-external");
}

/** The image's name without registry and tag. */
export function imageName(workload: Manifest | undefined): string | undefined {
  return at<string>(workload, `${container}.image`)?.split("/").at(-1)?.split(/[:@]/)[0];
}
