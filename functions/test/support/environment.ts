/** One environment as the rules see it: the objects of its overlays, and the declarations. */
import type { Definition } from "#host/kinds/definition";
import type { Deployable } from "../../local/discover.ts";
import { at, build, type Manifest, meshOf } from "./manifests.ts";

export interface Environment {
  readonly namespace: string;
  readonly overlay: string;
  /** Of knative/overlays and istio/overlays. */
  readonly manifests: readonly Manifest[];
  /** Of istio/mesh, the same for every environment. */
  readonly mesh: readonly Manifest[];
  readonly functions: readonly Deployable[];
}

/** A rule's problems are sentences that name the object; a manifest that is right has none. */
export type Rule = (environment: Environment) => string[];

/** The path of a workload's first container: the same in a Knative Service, a Deployment and a Job. */
export const container = "spec.template.spec.containers.0";

/** Builds an overlay of knative/overlays with the mesh rules that go with it; of the repository unless `root` is another. */
export function environmentOf(
  overlay: string,
  functions: readonly Deployable[],
  root?: string,
): Environment {
  const [namespace = overlay] = overlay.split("-");
  const manifests = [`knative/overlays/${overlay}`, meshOf(overlay)].flatMap((path) =>
    build(path, root),
  );
  return { namespace, overlay, manifests, mesh: build("istio/mesh", root), functions };
}

export function find({ manifests }: Environment, kind: string, name: string, group = "") {
  return manifests.find(
    (object) =>
      object.kind === kind && object.metadata.name === name && object.apiVersion.startsWith(group),
  );
}

export function definitionsOf({ functions }: Environment): Definition[] {
  return functions.flatMap(({ definition }) => definition ?? []);
}

/** Functions that are Knative Services: the bridge waits for messages, and is a Deployment where it is needed. */
export function servicesOf({ functions }: Environment): Deployable[] {
  return functions.filter(({ definition }) => definition?.kind !== "bridge");
}

/** The functions' Knative Services that are there; one that is not is another rule's problem. */
export function eachService(environment: Environment): [Deployable, Manifest][] {
  return servicesOf(environment).flatMap((one): [Deployable, Manifest][] => {
    const service = find(environment, "Service", one.name, "serving.knative.dev/");
    return service ? [[one, service]] : [];
  });
}

/** The functions that bring queues to their consumers where there is no RabbitmqSource. */
export function bridgesOf(environment: Environment): string[] {
  return definitionsOf(environment).flatMap(({ kind, name }) => (kind === "bridge" ? [name] : []));
}

/** The queues that functions consume. */
export function queuesOf(environment: Environment): string[] {
  return definitionsOf(environment).flatMap(({ from }) => from ?? []);
}

/** The account of a queue's RabbitmqSource, which does for this queue what the bridge does for all. */
export function sourceAccount(queue: string): string {
  return `${queue.replaceAll(".", "-")}-source`;
}

/** The account of the way in from outside, as "namespace/account". */
export const ingress = "istio-system/istio-ingressgateway-service-account";

/** What people and browsers reach; whatever else is public is a mistake. */
export function isPublic({ definition }: Deployable): boolean {
  return definition?.deploy.public === true;
}

/**
 * Who may call a function: the gateway, which triggers any; the callers that declare it; the source of the queue
 * that it consumes, and of no other queue; the bridge; and those outside where it is public. A gateway and a page
 * are for those outside alone.
 */
export function callersOf(environment: Environment, callee: Deployable): string[] {
  const { kind, from } = callee.definition ?? {};
  const outside = isPublic(callee) ? [ingress] : [];
  if (kind === "gateway" || kind === "ui") return outside;
  const callers = definitionsOf(environment).filter(
    (one) => one.kind === "gateway" || one.calls.some(({ name }) => name === callee.name),
  );
  const names = callers.flatMap(({ name, kind }) => (kind === "bridge" ? [] : [name]));
  const events = from === undefined ? [] : [sourceAccount(from), ...bridgesOf(environment)];
  return [...new Set([...names, ...events, ...outside])].sort();
}

/**
 * What the first request of a function wakes: all that is further below it than its callees, and the consumers of
 * what it publishes. What always has an instance is left out.
 */
export function wokenBy(environment: Environment, { name, definition }: Deployable): string[] {
  if (!definition || definition.kind === "bridge") return [];
  const all = servicesOf(environment);
  const next = (from: string) => all.find((one) => one.name === from)?.definition;
  const consumers = (one: Definition | undefined) => {
    const queues = (one?.effects ?? []).filter(({ system }) => system === "rabbitmq");
    const isConsumed = (queue: string) => queues.some(({ destination }) => destination === queue);
    return all.filter(({ definition }) => isConsumed(definition?.from ?? "")).map((it) => it.name);
  };
  const below = (one: Definition | undefined) => [
    ...(one?.calls ?? []).map((callee) => callee.name),
    ...consumers(one),
  ];
  const others = all.filter((one) => one.name !== name);
  const called = definition.kind === "gateway" ? others : definition.calls;
  const found = new Set(called.flatMap((callee) => below(next(callee.name))));
  for (const consumer of consumers(definition)) found.add(consumer);
  for (const one of found) for (const more of below(next(one))) found.add(more);
  const stands = (one: string) => (next(one)?.deploy.scale?.min ?? 0) > 0;
  return [...found].filter((one) => one !== name && !stands(one)).sort();
}

/** Who may wake a function, and may not call it. */
export function wakersOf(environment: Environment, { name }: Deployable): string[] {
  const callee = servicesOf(environment).find((one) => one.name === name);
  const callers = callee ? callersOf(environment, callee) : [];
  return servicesOf(environment)
    .filter((one) => wokenBy(environment, one).includes(name) && !callers.includes(one.name))
    .map((one) => one.name)
    .sort();
}

/** Who may reach the database or the broker: those who save there, or publish, and what consumes for a function. */
export function usersOf(environment: Environment, system: "mongodb" | "rabbitmq"): string[] {
  const names = definitionsOf(environment)
    .filter(({ effects }) => effects.some((effect) => effect.system === system))
    .map(({ name }) => name);
  const queues = system === "rabbitmq" ? queuesOf(environment) : [];
  const consumers = queues.length > 0 ? bridgesOf(environment) : [];
  return [...names, ...queues.map(sourceAccount), ...consumers].sort();
}

/** Has a hosted broker and database: nothing of them, and no Secret, is in the manifests. */
export function isExternal({ overlay }: Environment): boolean {
  return overlay === "prod" || overlay.endsWith("-external");
}

/** The image's name without registry and tag. */
export function imageName(workload: Manifest | undefined): string | undefined {
  return at<string>(workload, `${container}.image`)?.split("/").at(-1)?.split(/[:@]/)[0];
}
