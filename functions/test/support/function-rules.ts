/** What the manifests must say of each function, given its definition. */
import { isDeepStrictEqual } from "node:util";
import { variables } from "#host/base/config";
import { isFunction } from "../../local/discover.ts";
import {
  bridgeOf,
  container,
  type Environment,
  eachService,
  find,
  imageName,
  isPublic,
  type Rule,
  servicesOf,
  usersOf,
} from "./environment.ts";
import { at, type Manifest } from "./manifests.ts";

const partOf = "greetings";

const security = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};

/** Annotations that Knative does not know are ignored in silence: these are in use, with what they may say. */
const autoscaling: Readonly<Record<string, RegExp>> = {
  metric: /^(concurrency|rps)$/,
  target: /^[1-9]\d*$/,
  "min-scale": /^\d+$/,
  "max-scale": /^[1-9]\d*$/,
  window: /^\d+s$/,
  "target-burst-capacity": /^(-1|\d+)$/,
};

/** Every function is there under its own name, image and account, and nothing else claims to be one. */
function names(environment: Environment): string[] {
  const strangers = environment.manifests
    .filter(({ kind, apiVersion }) => kind === "Service" && apiVersion.startsWith("serving."))
    .filter(({ metadata }) => !isFunction(metadata.name))
    .map(({ metadata }) => `${metadata.name} is no function: functions/ has no such folder`);
  const there = eachService(environment);
  const missing = servicesOf(environment)
    .filter((definition) => !there.some(([other]) => other === definition))
    .map(({ name }) => `${name} has no Knative Service: add knative/base/${name}.yaml`);
  const wrong = there.flatMap(([{ name }, service]) =>
    identityProblems(environment, name, service),
  );
  return [...strangers, ...missing, ...wrong];
}

function identityProblems(environment: Environment, name: string, workload: Manifest): string[] {
  const image = at<string>(workload, `${container}.image`);
  const labels = at<Record<string, string>>(workload, "spec.template.metadata.labels") ?? {};
  const wanted = ["app", "version", "name", "component", "part-of"];
  const lacking = wanted
    .map((label) => (/^(app|version)$/.test(label) ? label : `app.kubernetes.io/${label}`))
    .filter((label) => !labels[label]);
  return problemsWhere(name, [
    [imageName(workload) === name, `runs the image ${image}, and not its own`],
    [
      at(workload, "spec.template.spec.serviceAccountName") === name,
      "has no account of its own: who may call whom is decided by account",
    ],
    [Boolean(find(environment, "ServiceAccount", name)), "has no ServiceAccount"],
    [lacking.length === 0, `lacks the labels ${lacking}, which Kiali and the policies go by`],
    [
      (labels.app ?? name) === name && (labels["app.kubernetes.io/name"] ?? name) === name,
      `is labelled as ${labels.app}`,
    ],
    [
      (labels["app.kubernetes.io/part-of"] ?? partOf) === partOf,
      `is labelled as part of ${labels["app.kubernetes.io/part-of"]}`,
    ],
  ]);
}

/** What a revision is made of, and how it is reached. */
function shape(environment: Environment): string[] {
  return eachService(environment).flatMap(([definition, service]) => {
    const { name } = definition;
    const labels = at<Record<string, string>>(service, "spec.template.metadata.labels") ?? {};
    const visibility = service.metadata.labels?.["networking.knative.dev/visibility"];
    const component = labels["app.kubernetes.io/component"] ?? "function";
    const concurrency = Number(at(service, "spec.template.spec.containerConcurrency"));
    return problemsWhere(name, [
      [
        isDeepStrictEqual(at(service, `${container}.ports`), [{ containerPort: 8080 }]),
        "must have the port 8080 without a name: a name fixes the protocol",
      ],
      [
        component === "function",
        `is labelled as a ${component}: the policy knative selects function`,
      ],
      [
        visibility === (isPublic(definition) ? undefined : "cluster-local"),
        `has the visibility ${visibility}: only the gateway and the page are public`,
      ],
      [concurrency > 0, "has no containerConcurrency"],
      [at(service, "spec.template.spec.enableServiceLinks") === false, "gets service links"],
      ...containerChecks(service),
    ]);
  });
}

function containerChecks(workload: Manifest): Check[] {
  const amounts = ["requests", "limits"].flatMap((kind) => [
    at(workload, `${container}.resources.${kind}.memory`),
    at(workload, `${container}.resources.${kind}.cpu`),
  ]);
  const path = (probe: string) => at(workload, `${container}.${probe}.httpGet.path`);
  return [
    [path("readinessProbe") === "/readyz", "is not probed at /readyz"],
    [path("livenessProbe") === "/healthz", "is not probed at /healthz"],
    [amounts.every(Boolean), "lacks requests or limits of cpu and memory"],
    [
      isDeepStrictEqual(at(workload, `${container}.securityContext`), security),
      "is not locked down: its securityContext differs from the others'",
    ],
  ];
}

function annotations(environment: Environment): string[] {
  return eachService(environment).flatMap(([{ name }, service]) => {
    const all = at<Record<string, string>>(service, "spec.template.metadata.annotations") ?? {};
    const problems = Object.entries(all)
      .filter(([key]) => key.startsWith("autoscaling."))
      .filter(([key, value]) => {
        const [group, field = ""] = key.split("/");
        return group !== "autoscaling.knative.dev" || !autoscaling[field]?.test(value);
      })
      .map(([key, value]) => `${name} has the annotation ${key}=${value}, which Knative ignores`);
    const [min, max] = ["min", "max"].map((end) => all[`autoscaling.knative.dev/${end}-scale`]);
    if (Number(min ?? 0) > Number(max ?? 0)) {
      problems.push(`${name} scales from ${min} to ${max}: a limit above the least is needed`);
    }
    return problems;
  });
}

/** Each function gets the addresses that it needs, no other, and no name that the host does not read. */
function environmentVariables(environment: Environment): string[] {
  const settings = environment.manifests.find(
    ({ kind, metadata }) => kind === "ConfigMap" && metadata.name.startsWith("settings"),
  );
  const data = at<Record<string, string>>(settings, "data") ?? {};
  const problems = Object.keys(data)
    .filter((name) => !(name in variables))
    .map((name) => `settings: the host reads no variable ${name}`);
  if (data.NAMESPACE !== environment.namespace) {
    problems.push(`settings: NAMESPACE=${data.NAMESPACE}, so callees would be sought there`);
  }
  const services = eachService(environment).flatMap(([{ name }, service]) =>
    variableProblems(environment, name, service, settings?.metadata.name),
  );
  return [...problems, ...services];
}

function variableProblems(
  environment: Environment,
  name: string,
  workload: Manifest,
  settings: string | undefined,
): string[] {
  const systems = ["mongodb", "rabbitmq"] as const;
  const needs = systems
    .filter((system) => usersOf(environment, system).includes(name))
    .map((system) => `${system.toUpperCase()}_URL`);
  const wanted = needs.map((key) => ({
    name: key,
    valueFrom: { secretKeyRef: { name: "connections", key } },
  }));
  const env = at<{ name: string }[]>(workload, `${container}.env`) ?? [];
  const has = env.map((variable) => variable.name).sort();
  return problemsWhere(name, [
    [isDeepStrictEqual(has, needs), `has the variables [${has}], and needs [${needs}]`],
    [
      !isDeepStrictEqual(has, needs) || isDeepStrictEqual(env, wanted),
      `takes ${needs} from elsewhere than the Secret connections`,
    ],
    [
      at(workload, `${container}.envFrom.0.configMapRef.name`) === settings,
      "does not read the ConfigMap settings",
    ],
  ]);
}

/** The bridge has the shape of the other functions, where it is: in dev-bridge, and nowhere else. */
function bridge(environment: Environment): string[] {
  const name = bridgeOf(environment)?.name ?? "bridge";
  const deployment = find(environment, "Deployment", name);
  if (!environment.overlay.endsWith("-bridge")) {
    return deployment
      ? [`${name} runs beside the RabbitmqSource: messages would be shared out`]
      : [];
  }
  if (!deployment) return [`there is no Deployment ${name}`];
  const settings = environment.manifests.find(({ metadata }) => /^settings/.test(metadata.name));
  return [
    ...identityProblems(environment, name, deployment),
    ...problemsWhere(name, containerChecks(deployment)),
    ...variableProblems(environment, name, deployment, settings?.metadata.name),
  ];
}

type Check = readonly [holds: boolean, problem: string];

function problemsWhere(name: string, checks: readonly Check[]): string[] {
  return checks.filter(([holds]) => !holds).map(([, problem]) => `${name} ${problem}`);
}

export const functionRules: readonly Rule[] = [
  names,
  shape,
  annotations,
  environmentVariables,
  bridge,
];
