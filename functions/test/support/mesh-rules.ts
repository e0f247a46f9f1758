/** What an environment's Istio objects must say, given the graph: who may call whom, and how connections are made. */
import { isDeepStrictEqual } from "node:util";
import type { Deployable } from "../../local/discover.ts";
import {
  callersOf,
  type Environment,
  find,
  ingress,
  isExternal,
  type Rule,
  servicesOf,
  usersOf,
  wakersOf,
} from "./environment.ts";
import { at, type Manifest, titleOf } from "./manifests.ts";

interface PolicyRule {
  from?: { source: { serviceAccounts?: string[]; notPrincipals?: string[] } }[];
  to?: object[];
  when?: { key: string; values?: string[]; notValues?: string[] }[];
}

/** Knative's own part, which the policy `knative` allows at every function; without a limit only the activator is. */
const knativeAccounts = ["knative-serving/activator", "knative-serving/controller", ingress];

const rulesOf = (policy: Manifest | undefined) => at<PolicyRule[]>(policy, "spec.rules") ?? [];

const accountsOf = ({ from }: PolicyRule) =>
  from?.flatMap(({ source }) => source.serviceAccounts ?? []) ?? [];

const wakeOnly = [{ operation: { methods: ["GET"], paths: ["/wake"] } }];
const allButWake = [{ operation: { notMethods: ["GET"] } }, { operation: { notPaths: ["/wake"] } }];

/** One policy for each callee, the database and the broker, which allows its callers, wakes by those above, and no more. */
function callees(environment: Environment): string[] {
  const functions = servicesOf(environment).map((callee): Expected => {
    const [callers, wakers] = [callersOf(environment, callee), wakersOf(environment, callee)];
    return { name: callee.name, callers, wakers };
  });
  const expected: Expected[] = [
    ...functions,
    { name: "mongodb", callers: usersOf(environment, "mongodb"), wakers: [], port: "27017" },
    { name: "rabbitmq", callers: usersOf(environment, "rabbitmq"), wakers: [], port: "5672" },
  ];
  return expected.flatMap(({ name, callers, wakers, port }) => {
    const policy = find(environment, "AuthorizationPolicy", name);
    const title = `AuthorizationPolicy ${name}`;
    if (!policy) return [`${title}: missing, so no function may call ${name}`];
    const [first = {}] = rulesOf(policy);
    const allowed = accountsOf(first).sort();
    if (!isDeepStrictEqual(allowed, callers)) {
      return [`${title}: allows [${allowed}], and the graph [${callers}]`];
    }
    const ruleOf = (accounts: string[], to: object[] | undefined) =>
      accounts.length > 0
        ? [{ from: [{ source: { serviceAccounts: accounts } }], ...(to && { to }) }]
        : [];
    const rules = [
      ...ruleOf(callers, port ? [{ operation: { ports: [port] } }] : undefined),
      ...ruleOf(wakers, wakeOnly),
    ];
    const spec = { selector: { matchLabels: { app: name } }, rules };
    return isDeepStrictEqual(sorted(policy.spec), spec)
      ? []
      : [
          `${title}: selects or allows more or less than ${callers}, and wakes by [${wakers}], at ${name}`,
        ];
  });
}

interface Expected {
  readonly name: string;
  readonly callers: string[];
  readonly wakers: string[];
  readonly port?: string;
}

/** The spec with each rule's accounts in the alphabet's order, as the graph's are. */
function sorted(spec: unknown): unknown {
  const copy = structuredClone(spec) as { rules?: PolicyRule[] };
  for (const { from } of copy.rules ?? []) from?.[0]?.source.serviceAccounts?.sort();
  return copy;
}

/** Nothing is allowed besides: not by a policy for all, nor by one for a function that is none. */
function nothingElse(environment: Environment): string[] {
  const callee = [...servicesOf(environment).map(({ name }) => name), "mongodb", "rabbitmq"];
  const policies = environment.manifests.filter((policy) => {
    const { kind, metadata } = policy;
    return (
      kind === "AuthorizationPolicy" &&
      metadata.namespace !== "knative-serving" &&
      at(policy, "spec.action") !== "DENY"
    );
  });
  const problems = policies
    .filter(({ metadata: { name } }) => ![...callee, "knative", "deny-by-default"].includes(name))
    .map((policy) => `${titleOf(policy)}: allows what is no edge of the graph`);
  if (!isDeepStrictEqual(find(environment, "AuthorizationPolicy", "deny-by-default")?.spec, {})) {
    problems.push("AuthorizationPolicy deny-by-default: must be there with an empty spec");
  }
  const isKnatives = (rule: PolicyRule) => {
    const [account = "?", ...others] = accountsOf(rule);
    const isLimited = Boolean(rule.to || rule.when);
    return (
      others.length === 0 &&
      knativeAccounts.includes(account) &&
      (isLimited || account === knativeAccounts[0])
    );
  };
  for (const rule of rulesOf(find(environment, "AuthorizationPolicy", "knative"))) {
    if (!isKnatives(rule)) {
      problems.push(`AuthorizationPolicy knative: allows [${accountsOf(rule)}] at every function`);
    }
  }
  return problems;
}

/** The same edges once more where the activator is between, which a function sees as its caller. */
function activator(environment: Environment): string[] {
  const { namespace } = environment;
  const policies = ["edges", "gateway"].map((what): [string, Manifest | undefined] => {
    const name = `${what}-of-${namespace}`;
    return [name, find(environment, "AuthorizationPolicy", name)];
  });
  const blind = policies
    .filter(([, policy]) => {
      const isThere = at(policy, "spec.selector.matchLabels.app") === "activator";
      return !isThere || at(policy, "spec.action") !== "DENY";
    })
    .map(([name]) => `AuthorizationPolicy ${name}: does not deny at the activator`);
  const rules = policies.flatMap(([, policy]) => rulesOf(policy));
  return [...blind, ...servicesOf(environment).flatMap(edgeProblems)];

  function edgeProblems(callee: Deployable): string[] {
    const { name } = callee;
    const ofRevision = { key: "request.headers[Knative-Serving-Revision]", values: [`${name}-*`] };
    const longer = servicesOf(environment).filter((other) => other.name.startsWith(`${name}-`));
    const notValues = longer.map((other) => `${other.name}-*`);
    const revision = { ...ofRevision, ...(notValues.length > 0 && { notValues }) };
    const [first, second, ...more] = rules.filter((one) =>
      isDeepStrictEqual(one.when?.[1], revision),
    );
    if (!first) return [`the activator lets everybody through to ${name}`];
    const callers = callersOf(environment, callee);
    const wakers = wakersOf(environment, callee);
    const hasWakers = wakers.length > 0;
    const problems = [
      ...ruleProblems(first, callers, hasWakers ? allButWake : undefined),
      ...(second && hasWakers ? ruleProblems(second, [...callers, ...wakers], undefined) : []),
    ];
    return more.length > 0 || Boolean(second) !== hasWakers
      ? [`the activator does not let [${wakers}] wake ${name}, or others too`]
      : problems.map(
          (allowed) =>
            `the activator lets [${allowed[0]}] through to ${name}, and the graph [${allowed[1]}]`,
        );
  }

  /** Whom a rule lets through, and whom it is to let through, where these differ. */
  function ruleProblems(rule: PolicyRule, accounts: string[], to: object[] | undefined) {
    const principals = accounts.map((account) => principal(namespace, account)).sort();
    const { notPrincipals = [] } = rule.from?.[0]?.source ?? {};
    const allowed = [...notPrincipals, ...excepted(rule)].sort();
    const isRight = isDeepStrictEqual(allowed, principals) && isDeepStrictEqual(rule.to, to);
    return isRight && (rule.from?.length ?? 0) < 2 ? [] : [[allowed, principals] as const];
  }
}

/** Principals that a further condition lets through; any other condition would let through more than is seen here. */
function excepted({ when = [] }: PolicyRule): string[] {
  return when
    .slice(3)
    .flatMap(({ key, values, notValues = [] }) =>
      key === "source.principal" && !values ? notValues : [`whatever is not ${key}`],
    );
}

/** An account of this namespace, or "namespace/account" as the policies name others. */
function principal(namespace: string, account: string): string {
  const [name = "", owner = namespace] = account.split("/").reverse();
  return `cluster.local/ns/${owner}/sa/${name}`;
}

/** Mutual TLS everywhere, and each client's own protocol up to the function. */
function connections(environment: Environment): string[] {
  const { namespace, mesh } = environment;
  const all = [...environment.manifests, ...mesh];
  const hosts = [
    `*.${namespace}.svc.cluster.local`,
    "activator-service.knative-serving.svc.cluster.local",
    "knative-local-gateway.istio-system.svc.cluster.local",
  ];
  const upgraded = hosts.filter((host) => {
    const rule = all.find(
      (object) => object.kind === "DestinationRule" && at(object, "spec.host") === host,
    );
    return at(rule, "spec.trafficPolicy.connectionPool.http.useClientProtocol") !== true;
  });
  const plain = environment.manifests.filter(
    ({ kind, spec }) =>
      kind === "PeerAuthentication" && !isDeepStrictEqual(spec, { mtls: { mode: "STRICT" } }),
  );
  const isStrict = find(environment, "PeerAuthentication", "default");
  return [
    ...upgraded.map((host) => `DestinationRule for ${host}: does not keep the client's protocol`),
    ...plain.map((policy) => `${titleOf(policy)}: is not STRICT for all`),
    ...(isStrict ? [] : ["PeerAuthentication default: missing, so plain text is taken"]),
  ];
}

/** Hosted systems are known to the mesh, and only those. */
function hosted(environment: Environment): string[] {
  const entries = environment.manifests.filter(({ kind }) => kind === "ServiceEntry");
  const has = entries.map(({ metadata }) => metadata.name).sort();
  const wanted = isExternal(environment) ? ["mongodb", "rabbitmq"] : [];
  return isDeepStrictEqual(has, wanted)
    ? []
    : [`ServiceEntry: there are [${has}], and [${wanted}] are hosted elsewhere`];
}

/** A sidecar holds what its functions use, and not the whole cluster. */
function scope(environment: Environment): string[] {
  const hosts = at(find(environment, "Sidecar", "default"), "spec.egress.0.hosts");
  const wanted = ["./*", "knative-serving/*", "istio-system/*"];
  return isDeepStrictEqual(hosts, wanted)
    ? []
    : [`Sidecar default: knows [${hosts}], and functions use [${wanted}]`];
}

export const meshRules: readonly Rule[] = [
  callees,
  nothingElse,
  activator,
  connections,
  hosted,
  scope,
];
