/** What the manifests must say besides the functions: the queue's way, the address, and that every name leads somewhere. */
import { isDeepStrictEqual } from "node:util";
import {
  bridgeOf,
  container,
  type Environment,
  find,
  imageName,
  isExternal,
  isPublic,
  type Rule,
  servicesOf,
  sourceAccount,
} from "./environment.ts";
import { at, type Manifest, titleOf } from "./manifests.ts";

/** The queue is declared with its dead-letter exchange by the function that publishes to it. */
function queue(environment: Environment): string[] {
  const job = find(environment, "Job", "declare-queue");
  const publisher = environment.definitions.find(({ effects }) =>
    effects.some(({ system }) => system === "rabbitmq"),
  );
  const env = at<{ name: string }[]>(job, `${container}.env`) ?? [];
  const declares =
    isDeepStrictEqual(at(job, `${container}.args`), ["/app/main.js", "--declare-queues"]) &&
    imageName(job) === publisher?.name &&
    at(job, "spec.template.spec.serviceAccountName") === publisher?.name &&
    env.some(({ name }) => name === "RABBITMQ_URL");
  return declares
    ? []
    : [
        `Job declare-queue: the queue would lack its dead-letter exchange: run ${publisher?.name} with --declare-queues and RABBITMQ_URL, by its account`,
      ];
}

/** Knative's source takes the queue that the bridge would, brings it to the same function, and tries again. */
function source(environment: Environment): string[] {
  const consumer = bridgeOf(environment);
  const name = consumer?.consumes ?? "?";
  const found = find(environment, "RabbitmqSource", name);
  if (environment.overlay.endsWith("-bridge")) {
    return found ? [`RabbitmqSource ${name}: runs beside the bridge`] : [];
  }
  if (!found) return [`RabbitmqSource ${name}: missing, so the queue is never consumed`];
  const queueName = at(found, "spec.rabbitmqResourcesConfig.queueName");
  const delivery = at<Record<string, unknown>>(found, "spec.delivery") ?? {};
  const sink = at<Record<string, string>>(found, "spec.sink.ref") ?? {};
  const wanted = {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    name: consumer?.calls[0]?.name,
  };
  const { namespace: _, ...target } = sink;
  const checks: [boolean, string][] = [
    [
      at(found, "spec.rabbitmqResourcesConfig.predeclared") === true,
      "would declare the queue by itself, without dead letters: it must be predeclared",
    ],
    [queueName === name, `consumes the queue ${queueName}`],
    [at(found, "spec.serviceAccountName") === sourceAccount(environment), "has another account"],
    [Number(delivery.retry) > 0, "never tries again: set spec.delivery.retry"],
    [delivery.backoffPolicy === "exponential", "tries again without growing waits"],
    [/^PT\d+(\.\d+)?S$/.test(`${delivery.backoffDelay}`), "has no first wait"],
    [isDeepStrictEqual(target, wanted), `sends to ${sink.name}, and the graph to ${wanted.name}`],
    [
      (sink.namespace ?? environment.namespace) === environment.namespace,
      `sends to the namespace ${sink.namespace}`,
    ],
  ];
  return checks.filter(([holds]) => !holds).map(([, problem]) => `${titleOf(found)}: ${problem}`);
}

/** The addresses of the gateway and of the page are their environment's, and only that namespace may map them. */
function addresses(environment: Environment): string[] {
  const { namespace } = environment;
  return servicesOf(environment)
    .filter(isPublic)
    .flatMap(({ name, kind }) => {
      const host = `${kind === "gateway" ? "api" : name}.${namespace}.example-api.com`;
      const claim = at(find(environment, "ClusterDomainClaim", host), "spec.namespace");
      const ref = at<Record<string, string>>(find(environment, "DomainMapping", host), "spec.ref");
      const isMapped = ref?.name === name && ref.apiVersion === "serving.knative.dev/v1";
      return [
        isMapped ? [] : [`DomainMapping ${host}: does not lead to ${name}`],
        claim === namespace
          ? []
          : [`ClusterDomainClaim ${host}: not for the namespace ${namespace}`],
      ].flat();
    });
}

/** Everything lies in the environment's namespace, but for its rules at Knative's activator. */
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
    const expected = isAtActivator ? "knative-serving" : namespace;
    return metadata.namespace === expected
      ? []
      : [`${titleOf(manifest)}: lies in ${metadata.namespace}, and belongs into ${expected}`];
  });
}

/** A tag that can move makes a release that can change; where skaffold sets the image, none is written. */
function images({ overlay, manifests, definitions }: Environment): string[] {
  const isOwn = (image: string) => definitions.some(({ name }) => name === image);
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
  queue,
  source,
  addresses,
  namespaces,
  images,
  secrets,
  references,
];
