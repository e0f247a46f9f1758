/** What overlays and components must leave of each function: its identity, its walls, and its settings. */
import { isDeepStrictEqual } from "node:util";
import { variables } from "#host/base/config";
import {
  bridgesOf,
  container,
  type Environment,
  eachService,
  find,
  imageName,
  isPublic,
  type Rule,
  servicesOf,
  wokenBy,
} from "./environment.ts";
import { at, type Manifest } from "./manifests.ts";

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
  const services = servicesOf(environment).map(({ name }) => name);
  const strangers = environment.manifests
    .filter(({ kind, apiVersion }) => kind === "Service" && apiVersion.startsWith("serving."))
    .filter(({ metadata }) => !services.includes(metadata.name))
    .map(({ metadata }) => `${metadata.name} is no function: functions/ has no such folder`);
  const there = eachService(environment);
  const missing = services
    .filter((name) => !there.some(([one]) => one.name === name))
    .map((name) => `${name} has no Knative Service`);
  const wrong = there.flatMap(([{ name }, service]) => identity(name, "function", service));
  return [...strangers, ...missing, ...wrong];
}

/** What the policies go by: a workload's account as a caller, its labels as a callee. */
function identity(name: string, component: string, workload: Manifest): string[] {
  const labels = at<Record<string, string>>(workload, "spec.template.metadata.labels") ?? {};
  const is = labels["app.kubernetes.io/component"];
  return problemsWhere(name, [
    [
      imageName(workload) === name,
      `runs the image ${at(workload, `${container}.image`)}, and not its own`,
    ],
    [
      at(workload, "spec.template.spec.serviceAccountName") === name,
      "has no account of its own: who may call whom is decided by account",
    ],
    [labels.app === name, `is labelled as ${labels.app}: no policy selects it`],
    [is === component, `is labelled as a ${is}: the policy knative selects function`],
  ]);
}

/** No function is public whose declaration does not say so, and no container may do more than the others. */
function walls(environment: Environment): string[] {
  return eachService(environment).flatMap(([one, service]) => {
    const visibility = service.metadata.labels?.["networking.knative.dev/visibility"];
    return problemsWhere(one.name, [
      [
        visibility === (isPublic(one) ? undefined : "cluster-local"),
        `has the visibility ${visibility}: its declaration says ${isPublic(one) ? "public" : "not public"}`,
      ],
      lockedDown(service, environment),
    ]);
  });
}

/** Where skaffold carries files into the containers, and nowhere else, they can be written to. */
function lockedDown(workload: Manifest, { overlay }: Environment): Check {
  const expected = { ...security, readOnlyRootFilesystem: !overlay.endsWith("-sync") };
  return [
    isDeepStrictEqual(at(workload, `${container}.securityContext`), expected),
    "is not locked down: its securityContext differs from the others'",
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

/** Overlays set what all functions read; nothing is set that the host does not read, and no password is in sight. */
function settings(environment: Environment): string[] {
  const found = environment.manifests.find(
    ({ kind, metadata }) => kind === "ConfigMap" && metadata.name.startsWith("settings"),
  );
  const data = at<Record<string, string>>(found, "data") ?? {};
  const problems = Object.keys(data)
    .filter((name) => !(name in variables))
    .map((name) => `settings: the host reads no variable ${name}`);
  if (data.NAMESPACE !== environment.namespace) {
    problems.push(`settings: NAMESPACE=${data.NAMESPACE}, so callees would be sought there`);
  }
  const workloads = [
    ...eachService(environment).map(([{ name }, service]) => [name, service] as const),
    ...bridgesOf(environment).map((name) => [name, find(environment, "Deployment", name)] as const),
  ];
  return [
    ...problems,
    ...workloads.flatMap(([name, workload]) =>
      workload ? variableProblems(name, workload, found?.metadata.name) : [],
    ),
  ];
}

function variableProblems(name: string, workload: Manifest, settings: string | undefined) {
  const env = at<{ name: string; valueFrom?: object }[]>(workload, `${container}.env`) ?? [];
  const plain = env.filter(
    ({ name: key, valueFrom }) =>
      key !== "WAKE" &&
      !isDeepStrictEqual(valueFrom, { secretKeyRef: { name: "connections", key } }),
  );
  return problemsWhere(name, [
    [
      plain.length === 0,
      `takes ${plain.map((one) => one.name)} from elsewhere than the Secret connections`,
    ],
    [
      at(workload, `${container}.envFrom.0.configMapRef.name`) === settings,
      "does not read the ConfigMap settings",
    ],
  ]);
}

/** A first request wakes what is below it by the graph; nothing is woken where nothing goes to zero. */
function waking(environment: Environment): string[] {
  const settings = environment.manifests.find(
    ({ kind, metadata }) => kind === "ConfigMap" && metadata.name.startsWith("settings"),
  );
  const idleMs = Number(at<Record<string, string>>(settings, "data")?.WAKE_IDLE_MS ?? 55_000);
  const scale = eachService(environment).map(([, service]) => {
    const all = at<Record<string, string>>(service, "spec.template.metadata.annotations") ?? {};
    const of = (key: string) => all[`autoscaling.knative.dev/${key}`];
    return {
      min: Number(of("min-scale") ?? 0),
      seconds: Number.parseInt(of("window") ?? "60", 10),
    };
  });
  const shortestMs = Math.min(...scale.map(({ seconds }) => seconds * 1_000));
  const isRight = scale.every(({ min }) => min > 0)
    ? idleMs === 0
    : idleMs > 0 && idleMs < shortestMs;
  const wrong = eachService(environment).flatMap(([one, service]) => {
    const env = at<{ name: string; value?: string }[]>(service, `${container}.env`) ?? [];
    const { value = "{}" } = env.find(({ name }) => name === "WAKE") ?? {};
    const given = new Set(Object.values(JSON.parse(value) as Record<string, string[]>).flat());
    const wanted = wokenBy(environment, one);
    return isDeepStrictEqual([...given].sort(), wanted)
      ? []
      : [`${one.name} wakes [${[...given].sort()}], and the graph [${wanted}]`];
  });
  return isRight
    ? wrong
    : [`settings: WAKE_IDLE_MS is ${idleMs}, wrong for these scales`, ...wrong];
}

/** A bridge is in dev-bridge, as one of the functions, and nowhere else. */
function bridges(environment: Environment): string[] {
  const isThere = environment.overlay.endsWith("-bridge");
  return bridgesOf(environment).flatMap((name) => {
    const deployment = find(environment, "Deployment", name);
    if (!isThere) {
      return deployment
        ? [`${name} runs beside the RabbitmqSource: messages would be shared out`]
        : [];
    }
    if (!deployment) return [`there is no Deployment ${name}`];
    return [
      ...identity(name, "source", deployment),
      ...problemsWhere(name, [lockedDown(deployment, environment)]),
    ];
  });
}

type Check = readonly [holds: boolean, problem: string];

function problemsWhere(name: string, checks: readonly Check[]): string[] {
  return checks.filter(([holds]) => !holds).map(([, problem]) => `${name} ${problem}`);
}

export const functionRules: readonly Rule[] = [
  names,
  walls,
  annotations,
  settings,
  waking,
  bridges,
];
