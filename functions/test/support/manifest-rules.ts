/**
 * What an environment's manifests must say, given the definitions: each rule returns its problems, as sentences that
 * name the object. The graph is written once, in functions/; this keeps the manifests from saying something else.
 */
import { isDeepStrictEqual } from "node:util";
import { variables } from "#host/config";
import type { Definition } from "#host/definition";
import { at, type Manifest } from "./manifests.ts";

export interface Environment {
  namespace: string;
  overlay: string;
  /** Of knative/overlays, and of istio/overlays with istio/mesh. */
  manifests: readonly Manifest[];
  definitions: readonly Definition[];
}

type Rule = (environment: Environment) => string[];

export function problemsOf(environment: Environment): string[] {
  return rules.flatMap((rule) => rule(environment));
}

const container = "spec.template.spec.containers.0";

export function find({ manifests }: Environment, kind: string, name: string, group = "") {
  return manifests.find(
    (object) =>
      object.kind === kind && object.metadata.name === name && object.apiVersion.startsWith(group),
  );
}

/** Functions that are Knative Services: the bridge waits for messages, and is a Deployment where it is needed. */
function servicesOf({ definitions }: Environment): Definition[] {
  return definitions.filter(({ kind }) => kind !== "bridge");
}

function knativeService(environment: Environment, { name }: Definition): Manifest | undefined {
  return find(environment, "Service", name, "serving.knative.dev/");
}

/** Who may call a function: the callers that the graph declares, and the gateway, which triggers any. */
export function callersOf({ definitions }: Environment, name: string): string[] {
  if (name === "gateway") return [];
  const declared = definitions.filter(({ calls }) => calls.some((callee) => callee.name === name));
  const source = declared.some(({ kind }) => kind === "bridge") ? ["service-d-source"] : [];
  return [...new Set(["gateway", ...declared.map((caller) => caller.name), ...source])].sort();
}

export function usersOf({ definitions }: Environment, system: string): string[] {
  const users = definitions.filter(
    ({ effects, consumes }) =>
      effects.some((effect) => effect.system === system) || (system === "rabbitmq" && consumes),
  );
  const names = users.map(({ name }) => name);
  return (system === "rabbitmq" ? [...names, "service-d-source"] : names).sort();
}

/** Every function is there, under its own name, image and account, and nothing else claims to be one. */
function names(environment: Environment): string[] {
  const expected = servicesOf(environment).map(({ name }) => name);
  const strangers = environment.manifests
    .filter(({ kind, apiVersion }) => kind === "Service" && apiVersion.startsWith("serving."))
    .filter(({ metadata }) => !expected.includes(metadata.name));
  const problems = strangers.map(({ metadata }) => `${metadata.name} is no function`);
  for (const definition of servicesOf(environment)) {
    const { name } = definition;
    const service = knativeService(environment, definition);
    if (!service) problems.push(`${name} has no Knative Service`);
    const image = at<string>(service, `${container}.image`) ?? "";
    if (image.split("/").at(-1)?.split(/[:@]/)[0] !== name) {
      problems.push(`${name} runs the image ${image}`);
    }
    if (at(service, "spec.template.spec.serviceAccountName") !== name) {
      problems.push(`${name} has no account of its own`);
    }
    if (!find(environment, "ServiceAccount", name)) problems.push(`${name} has no ServiceAccount`);
  }
  return problems;
}

function shape(environment: Environment): string[] {
  return servicesOf(environment).flatMap((definition) => {
    const { name } = definition;
    const service = knativeService(environment, definition);
    const labels = at<Record<string, string>>(service, "spec.template.metadata.labels") ?? {};
    const visibility = service?.metadata.labels?.["networking.knative.dev/visibility"];
    const checks: [boolean, string][] = [
      [
        isDeepStrictEqual(at(service, `${container}.ports`), [{ containerPort: 8080 }]),
        "must have the port 8080 without a name: a name fixes the protocol",
      ],
      [
        at(service, `${container}.readinessProbe.httpGet.path`) === "/readyz",
        "is not probed at /readyz",
      ],
      [
        at(service, `${container}.livenessProbe.httpGet.path`) === "/healthz",
        "is not probed at /healthz",
      ],
      [labels.app === name && Boolean(labels.version), "lacks the labels app and version"],
      [labels["app.kubernetes.io/name"] === name, "lacks the label app.kubernetes.io/name"],
      [labels["app.kubernetes.io/component"] === "function", "is not labelled as a function"],
      [
        visibility === (name === "gateway" ? undefined : "cluster-local"),
        `has the visibility ${visibility}`,
      ],
      [
        Boolean(at(service, "spec.template.spec.containerConcurrency")),
        "has no containerConcurrency",
      ],
      [
        Boolean(at(service, `${container}.resources.requests.memory`)) &&
          Boolean(at(service, `${container}.resources.limits.memory`)),
        "has no resources",
      ],
      [
        isDeepStrictEqual(at(service, `${container}.securityContext`), security),
        "is not locked down",
      ],
    ];
    return checks.filter(([holds]) => !holds).map(([, problem]) => `${name} ${problem}`);
  });
}

const security = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};

/** Each function gets the addresses that it needs, no other, and no name that the host does not read. */
function environmentVariables(environment: Environment): string[] {
  const settings = environment.manifests.find(
    ({ kind, metadata }) => kind === "ConfigMap" && metadata.name.startsWith("settings"),
  );
  const data = (settings?.data ?? {}) as Record<string, string>;
  const problems = Object.keys(data)
    .filter((name) => !(name in variables))
    .map((name) => `settings: the host reads no variable ${name}`);
  if (data.NAMESPACE !== environment.namespace)
    problems.push(`settings: NAMESPACE=${data.NAMESPACE}`);
  for (const definition of servicesOf(environment)) {
    const service = knativeService(environment, definition);
    const env = at<{ name: string }[]>(service, `${container}.env`) ?? [];
    const has = env.map(({ name }) => name).sort();
    const needs = [
      usersOf(environment, "mongodb").includes(definition.name) ? ["MONGODB_URL"] : [],
      usersOf(environment, "rabbitmq").includes(definition.name) ? ["RABBITMQ_URL"] : [],
    ].flat();
    if (!isDeepStrictEqual(has, needs)) {
      problems.push(`${definition.name} has the variables [${has}], and needs [${needs}]`);
    }
    if (at(service, `${container}.envFrom.0.configMapRef.name`) !== settings?.metadata.name) {
      problems.push(`${definition.name} does not read the ConfigMap settings`);
    }
  }
  return problems;
}

/** The queue is declared with its dead-letter exchange before it is consumed, and consumed for the right function. */
function queue(environment: Environment): string[] {
  const publisher = environment.definitions.find(({ effects }) =>
    effects.some(({ system }) => system === "rabbitmq"),
  );
  const bridge = environment.definitions.find(({ kind }) => kind === "bridge");
  const job = find(environment, "Job", "declare-queue");
  const problems: string[] = [];
  const declares =
    isDeepStrictEqual(at(job, `${container}.args`), ["/app/main.js", "--declare-queues"]) &&
    at<string>(job, `${container}.image`)?.includes(publisher?.name ?? "?");
  if (!declares)
    problems.push("declare-queue: nothing declares the queue with its dead-letter exchange");
  if (environment.overlay.endsWith("bridge")) {
    return find(environment, "Deployment", "bridge")
      ? problems
      : [...problems, "there is no bridge"];
  }
  const source = find(environment, "RabbitmqSource", bridge?.consumes ?? "?");
  if (!source) return [...problems, `there is no RabbitmqSource ${bridge?.consumes}`];
  const config = at<Record<string, unknown>>(source, "spec.rabbitmqResourcesConfig");
  if (config?.predeclared !== true)
    problems.push("RabbitmqSource: would declare a queue without dead letters");
  if (config?.queueName !== bridge?.consumes)
    problems.push(`RabbitmqSource: queue ${config?.queueName}`);
  if (!(Number(at(source, "spec.delivery.retry")) > 0))
    problems.push("RabbitmqSource: never tries again");
  if (at(source, "spec.delivery.backoffPolicy") !== "exponential") {
    problems.push("RabbitmqSource: tries again without growing waits");
  }
  const sink = at(source, "spec.sink.ref.name");
  if (sink !== bridge?.calls[0]?.name) problems.push(`RabbitmqSource: sends to ${sink}`);
  return problems;
}

/** Everything lies in the environment's namespace, but for what the whole cluster or Knative's own has. */
function namespaces(environment: Environment): string[] {
  const { namespace, manifests } = environment;
  const elsewhere = ["Namespace", "ClusterDomainClaim", "Telemetry"];
  return manifests
    .filter(({ kind, metadata }) => {
      if (elsewhere.includes(kind) || metadata.namespace === namespace) return false;
      return !/^(knative-serving|istio-system)$/.test(metadata.namespace ?? "");
    })
    .map(({ kind, metadata }) => `${kind} ${metadata.name} lies in ${metadata.namespace}`);
}

function images(environment: Environment): string[] {
  if (environment.overlay !== "prod") return [];
  const text = JSON.stringify(environment.manifests);
  return [...text.matchAll(/"image":"([^"]+)"/g)]
    .map(([, image]) => image ?? "")
    .filter((image) => !/(:\d+\.\d+\.\d+|@sha256:[\da-f]{64})$/.test(image))
    .map((image) => `prod: the image ${image} can change under its tag`);
}

const rules: readonly Rule[] = [names, shape, environmentVariables, queue, namespaces, images];
