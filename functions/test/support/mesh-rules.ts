/** What an environment's Istio objects must say, given the graph: who may call whom, and how connections are made. */
import { isDeepStrictEqual } from "node:util";
import { callersOf, type Environment, find, usersOf } from "./manifest-rules.ts";
import { at, type Manifest } from "./manifests.ts";

interface Rule {
  from?: { source: { serviceAccounts?: string[]; notPrincipals?: string[] } }[];
  when?: { key: string; values?: string[] }[];
}

const ingress = "istio-system/istio-ingressgateway-service-account";

export function meshProblemsOf(environment: Environment): string[] {
  return [...atCallees(environment), ...atActivator(environment), ...connections(environment)];
}

const rulesOf = (policy: Manifest | undefined) => at<Rule[]>(policy, "spec.rules") ?? [];

/** One policy for each callee, which allows its callers; and nothing is allowed besides. */
function atCallees(environment: Environment): string[] {
  const problems: string[] = [];
  const nothing = find(environment, "AuthorizationPolicy", "deny-by-default");
  if (!isDeepStrictEqual(nothing?.spec, {}))
    problems.push("AuthorizationPolicy: no deny-by-default");
  const functions = environment.definitions.filter(({ kind }) => kind !== "bridge");
  const expected: [string, string[]][] = [
    ...functions.map(({ name }): [string, string[]] => [
      name,
      name === "gateway" ? [ingress] : callersOf(environment, name),
    ]),
    ["mongodb", usersOf(environment, "mongodb")],
    ["rabbitmq", usersOf(environment, "rabbitmq")],
  ];
  for (const [name, callers] of expected) {
    const policy = find(environment, "AuthorizationPolicy", name);
    const selected = at(policy, "spec.selector.matchLabels.app");
    const allowed = rulesOf(policy).flatMap(
      ({ from }) => from?.flatMap(({ source }) => source.serviceAccounts ?? []) ?? [],
    );
    if (selected !== name || !isDeepStrictEqual(allowed.sort(), callers)) {
      problems.push(`AuthorizationPolicy ${name}: allows [${allowed}], and the graph [${callers}]`);
    }
  }
  return problems;
}

/** The same edges once more where the activator is between. */
function atActivator(environment: Environment): string[] {
  const { namespace, definitions } = environment;
  const names = [`edges-of-${namespace}`, `gateway-of-${namespace}`];
  const policies = names.map((name) => find(environment, "AuthorizationPolicy", name));
  const rules = policies.flatMap(rulesOf);
  const problems = policies.flatMap((policy, index) =>
    policy?.metadata.namespace === "knative-serving" && at(policy, "spec.action") === "DENY"
      ? []
      : [`AuthorizationPolicy ${names[index]}: does not deny at the activator`],
  );
  for (const { name, kind } of definitions) {
    if (kind === "bridge") continue;
    const rule = rules.find(({ when }) => when?.some(({ values }) => values?.[0] === `${name}-*`));
    const inNamespace = rule?.when?.some(
      ({ key, values }) => key.includes("Knative-Serving-Namespace") && values?.[0] === namespace,
    );
    const allowed = rule?.from?.flatMap(({ source }) => source.notPrincipals ?? []) ?? [];
    const callers = callersOf(environment, name).map((caller) => principal(namespace, caller));
    const wanted =
      name === "gateway" ? [principal(...(ingress.split("/") as [string, string]))] : callers;
    if (!inNamespace || !isDeepStrictEqual(allowed.sort(), wanted.sort())) {
      problems.push(
        `the activator lets [${allowed}] through to ${name}, and the graph [${wanted}]`,
      );
    }
  }
  return problems;
}

function principal(namespace: string, account: string): string {
  return `cluster.local/ns/${namespace}/sa/${account}`;
}

function connections(environment: Environment): string[] {
  const { namespace, manifests } = environment;
  const problems: string[] = [];
  const hosts = [
    `*.${namespace}.svc.cluster.local`,
    "activator-service.knative-serving.svc.cluster.local",
    "knative-local-gateway.istio-system.svc.cluster.local",
  ];
  for (const host of hosts) {
    const rule = manifests.find(
      (object) => object.kind === "DestinationRule" && at(object, "spec.host") === host,
    );
    if (at(rule, "spec.trafficPolicy.connectionPool.http.useClientProtocol") !== true) {
      problems.push(`DestinationRule for ${host}: does not keep the client's protocol`);
    }
  }
  const mtls = find(environment, "PeerAuthentication", "default");
  if (at(mtls, "spec.mtls.mode") !== "STRICT")
    problems.push("PeerAuthentication default: not STRICT");
  return problems;
}
