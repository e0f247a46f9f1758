/** What prod must say besides, and no other environment: it outlasts a pod and a node, takes TLS from outside, and does not record every request. */
import { isDeepStrictEqual } from "node:util";
import { type Environment, eachService, find, type Rule } from "./environment.ts";
import { at, type Manifest, titleOf } from "./manifests.ts";

/** The loss of one pod is not felt: each function has a second one. */
function standing(environment: Environment): string[] {
  return eachService(environment).flatMap(([{ name }, service]) => {
    const all = at<Record<string, string>>(service, "spec.template.metadata.annotations") ?? {};
    const min = all["autoscaling.knative.dev/min-scale"];
    return Number(min ?? 0) >= 2 ? [] : [`${name} has ${min ?? 0} standing instances in prod`];
  });
}

/** Of these two, a drained node takes one at a time. They lie on two nodes by Knative's default, which an affinity ends. */
function nodes(environment: Environment): string[] {
  return eachService(environment).flatMap(([{ name }, service]) => {
    const { maxUnavailable, selector } =
      at<{ maxUnavailable?: unknown; selector?: object }>(
        find(environment, "PodDisruptionBudget", name),
        "spec",
      ) ?? {};
    const isOwn = isDeepStrictEqual(selector, {
      matchLabels: { "serving.knative.dev/service": name },
    });
    const affinity = at(service, "spec.template.spec.affinity");
    return [
      ...(isOwn && maxUnavailable === 1
        ? []
        : [`${name} has no budget of one instance: a drained node may take all`]),
      ...(affinity ? [`${name} has an affinity, so Knative does not spread it over nodes`] : []),
    ];
  });
}

/** The settings name https origins: every address is served so, and plain HTTP leads there. */
function https({ manifests }: Environment): string[] {
  return manifests
    .filter(({ kind }) => kind === "DomainMapping")
    .filter((mapping) => {
      const protocol = mapping.metadata.annotations?.["networking.knative.dev/http-protocol"];
      return !at(mapping, "spec.tls.secretName") || protocol !== "redirected";
    })
    .map((mapping) => `${titleOf(mapping)}: is not https alone in prod`);
}

/** In the namespace, and at the ingress, which decides for requests from outside. */
function sampling({ namespace, manifests }: Environment): string[] {
  const isQuiet = (one: Manifest) =>
    (at<number>(one, "spec.tracing.0.randomSamplingPercentage") ?? 100) <= 10 &&
    Boolean(at(one, "spec.accessLogging.0.filter.expression"));
  const has = (owner: string, selector: object | undefined) =>
    manifests.some(
      (one) =>
        one.kind === "Telemetry" &&
        one.metadata.namespace === owner &&
        isDeepStrictEqual(at(one, "spec.selector.matchLabels"), selector) &&
        isQuiet(one),
    );
  return [
    ...(has(namespace, undefined) ? [] : ["prod: every request is traced or logged by its proxy"]),
    ...(has("istio-system", { istio: "ingressgateway" })
      ? []
      : ["prod: every request is traced or logged at the ingress"]),
  ];
}

/** Where one instance stands, a budget keeps its node from being drained, or protects nothing. */
function budgets({ namespace, manifests }: Environment): string[] {
  return manifests
    .filter(({ kind }) => kind === "PodDisruptionBudget")
    .map((one) => `${titleOf(one)}: one instance stands in ${namespace}, which needs no budget`);
}

const rules: readonly Rule[] = [standing, nodes, https, sampling];

export const prodRules: readonly Rule[] = [
  (environment) =>
    environment.namespace === "prod"
      ? rules.flatMap((rule) => rule(environment))
      : budgets(environment),
];
