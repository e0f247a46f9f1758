/** What the manifests must say besides the functions: queues, addresses, and that every name leads somewhere. */
import {
  type Environment,
  find,
  isExternal,
  isPublic,
  queuesOf,
  type Rule,
  servicesOf,
  sourceAccount,
} from "./environment.ts";
import { at, type Manifest, titleOf } from "./manifests.ts";

/** Each queue that a function consumes has one consumer: Knative's source by its own account, or the bridge. */
function sources(environment: Environment): string[] {
  const hasBridge = environment.overlay.endsWith("-bridge");
  const queues = queuesOf(environment);
  const found = environment.manifests.filter(({ kind }) => kind === "RabbitmqSource");
  const queueOf = (source: Manifest) =>
    at<string>(source, "spec.rabbitmqResourcesConfig.queueName") ?? "";
  const missing = queues
    .filter((queue) => !hasBridge && !found.some((source) => queueOf(source) === queue))
    .map((queue) => `RabbitmqSource ${queue}: missing, so the queue is never consumed`);
  const wrong = found.flatMap((source) => {
    const queue = queueOf(source);
    const account = at(source, "spec.serviceAccountName");
    const checks: [boolean, string][] = [
      [!hasBridge, "runs beside the bridge"],
      [queues.includes(queue), `consumes the queue ${queue}, which no function consumes`],
      [account === sourceAccount(queue), `has the account ${account}, and not its own`],
    ];
    return checks
      .filter(([holds]) => !holds)
      .map(([, problem]) => `${titleOf(source)}: ${problem}`);
  });
  return [...missing, ...wrong];
}

/** A public function has its environment's address, which only that namespace may map; no other function has one. */
function addresses(environment: Environment): string[] {
  const { namespace } = environment;
  const named = servicesOf(environment)
    .filter(isPublic)
    .map(({ name, definition }) => {
      const host = `${definition?.deploy.subdomain ?? name}.${namespace}.example-api.com`;
      return { name, host };
    });
  const problems = named.flatMap(({ name, host }) => {
    const claim = at(find(environment, "ClusterDomainClaim", host), "spec.namespace");
    const ref = at<Record<string, string>>(find(environment, "DomainMapping", host), "spec.ref");
    const isMapped = ref?.name === name && ref.apiVersion === "serving.knative.dev/v1";
    return [
      isMapped ? [] : [`DomainMapping ${host}: does not lead to ${name}`],
      claim === namespace ? [] : [`ClusterDomainClaim ${host}: not for the namespace ${namespace}`],
    ].flat();
  });
  const strangers = environment.manifests.filter(
    ({ kind, metadata }) =>
      kind === "DomainMapping" && !named.some(({ host }) => host === metadata.name),
  );
  return [...problems, ...strangers.map((one) => `${titleOf(one)}: no public function has it`)];
}

/** Everything lies in the environment's namespace, but for its rules at Knative's activator and at the ingress. */
function namespaces({ namespace, manifests }: Environment): string[] {
  return manifests.flatMap((manifest) => {
    const { kind, metadata } = manifest;
    if (kind === "ClusterDomainClaim") return [];
    if (kind === "Namespace") {
      const isInjected = metadata.labels?.["istio-injection"] === "enabled";
      return metadata.name === namespace && isInjected
        ? []
        : [`${titleOf(manifest)}: ${namespace} with istio-injection=enabled is expected`];
    }
    const isAtActivator =
      kind === "AuthorizationPolicy" && metadata.name.endsWith(`-of-${namespace}`);
    const isAtIngress =
      ["Telemetry", "EnvoyFilter"].includes(kind) && metadata.name.endsWith("-at-ingress");
    const elsewhere = isAtIngress ? "istio-system" : namespace;
    const expected = isAtActivator ? "knative-serving" : elsewhere;
    return metadata.namespace === expected
      ? []
      : [`${titleOf(manifest)}: lies in ${metadata.namespace}, and belongs into ${expected}`];
  });
}

/** A tag that can move makes a release that can change; where skaffold sets the image, none is written. */
function images({ overlay, manifests, functions }: Environment): string[] {
  const isOwn = (image: string) => functions.some(({ name }) => name === image);
  const fixed = /^[^/]+\.[^/]+\/.+(:\d+\.\d+\.\d+|@sha256:[\da-f]{64})$/;
  const tagged = /(:[\w.-]+|@sha256:[\da-f]{64})$/;
  return imagesOf(manifests)
    .filter((image) =>
      overlay === "prod" ? !fixed.test(image) : !isOwn(image) && !tagged.test(image),
    )
    .concat(imagesOf(manifests).filter((image) => image.endsWith(":latest")))
    .filter((image, index, all) => all.indexOf(image) === index)
    .map((image) => `${overlay}: the image ${image} can change under its name`);
}

function imagesOf(manifests: readonly Manifest[]): string[] {
  return valuesOf(manifests, "image").filter((image) => typeof image === "string");
}

/** A hosted broker's and database's passwords are in no file, and a cluster's own are there. */
function secrets(environment: Environment): string[] {
  const { overlay, manifests } = environment;
  const there = manifests.filter(({ kind }) => kind === "Secret").map(titleOf);
  if (isExternal(environment)) {
    return there.map((secret) => `${overlay}: ${secret} is in the manifests, for all to read`);
  }
  const data = at<object>(find(environment, "Secret", "connections"), "data") ?? {};
  const lacking = ["uri", "port", "username", "password"].filter((key) => !(key in data));
  return lacking.length === 0
    ? []
    : [`Secret connections: has no ${lacking}, and the RabbitmqSource looks for them`];
}

interface Reference {
  name?: string;
  key?: string;
}

/** A pod does not start before the ConfigMaps, Secrets and accounts are there that it names. */
function references(environment: Environment): string[] {
  return environment.manifests.flatMap((manifest) => {
    const wanted = [
      ...valuesOf(manifest, "configMapRef").map((ref) => ["ConfigMap", ref] as const),
      ...valuesOf(manifest, "configMap").map((ref) => ["ConfigMap", ref] as const),
      ...valuesOf(manifest, "secretKeyRef").map((ref) => ["Secret", ref] as const),
      ...valuesOf(manifest, "connectionSecret").map((ref) => ["Secret", ref] as const),
      ...valuesOf(manifest, "serviceAccountName").map(
        (name) => ["ServiceAccount", { name }] as const,
      ),
    ] as [kind: string, Reference][];
    return wanted
      .filter(([kind, { name, key }]) => {
        if (kind === "Secret" && isExternal(environment)) return name !== "connections";
        const target = find(environment, kind, name ?? "");
        const data = at<object>(target, "data") ?? {};
        return !target || (key !== undefined && !(key in data));
      })
      .map(([kind, { name, key }]) => {
        const part = key === undefined ? "" : ` with the key ${key}`;
        return `${titleOf(manifest)}: there is no ${kind} ${name}${part}`;
      });
  });
}

/** The values of a key, wherever in an object it is. */
function valuesOf(part: unknown, key: string): unknown[] {
  if (part === null || typeof part !== "object") return [];
  return Object.entries(part).flatMap(([name, value]) => [
    ...(name === key ? [value] : []),
    ...valuesOf(value, key),
  ]);
}

export const platformRules: readonly Rule[] = [
  sources,
  addresses,
  namespaces,
  images,
  secrets,
  references,
];
