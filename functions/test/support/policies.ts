/**
 * What Istio's authorization policies answer to a request, as far as ours go, and Envoy's filter of that kind which
 * holds in the whole mesh: DENY before ALLOW; without an ALLOW policy all is allowed; values are exact, "prefix*",
 * "*suffix" or "*" for a value that is there. Envoy has read a header that is sent twice in two ways, all values joined
 * by commas and each value by itself: a policy must hold in both. Paths are compared without their query, as Envoy has
 * normalized them.
 */
import { isDeepStrictEqual } from "node:util";
import { at, type Manifest } from "./manifests.ts";

export interface Asked {
  /** "cluster.local/ns/NAMESPACE/sa/ACCOUNT"; undefined for plain text. */
  readonly principal?: string;
  readonly port: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** "GET" and "/api/greeting" where a test asks for nothing else. A policy's paths do not see the query. */
  readonly method?: string;
  readonly path?: string;
  /** "ISSUER/SUBJECT" of a valid token; undefined without one. */
  readonly requestPrincipal?: string;
}

export interface Workload {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

export type Reading = "joined" | "each";

interface Condition {
  key: string;
  values?: string[];
  notValues?: string[];
}

interface PolicyRule {
  from?: { source: Record<string, string[]> }[];
  to?: { operation: Record<string, string[]> }[];
  when?: Condition[];
}

/** Whether a request gets through to the workload that these policies select. */
export function isAllowed(holding: readonly Manifest[], asked: Asked, reading: Reading): boolean {
  const selecting = holding.filter(({ kind }) => kind === "AuthorizationPolicy");
  const filters = holding.filter(({ kind }) => kind === "EnvoyFilter");
  if (filters.some((filter) => isRefusedBy(filter, asked, reading))) return false;
  const matching = selecting.filter((policy) =>
    (at<PolicyRule[]>(policy, "spec.rules") ?? []).some((rule) =>
      matches(rule, policy.metadata.namespace ?? "", asked, reading),
    ),
  );
  const isDeny = (policy: Manifest) => at(policy, "spec.action") === "DENY";
  if (matching.some(isDeny)) return false;
  return selecting.every(isDeny) || matching.length > 0;
}

/** The policies and filters that hold at a workload. */
export function policiesAt(manifests: readonly Manifest[], to: Workload): Manifest[] {
  return manifests.filter((policy) => selects(policy, to));
}

function selects({ kind, metadata, spec }: Manifest, { namespace, labels }: Workload): boolean {
  // Without a selector in the root namespace: for every proxy of the mesh.
  if (kind === "EnvoyFilter")
    return metadata.namespace === "istio-system" && !at(spec as object, "workloadSelector");
  if (kind !== "AuthorizationPolicy" || metadata.namespace !== namespace) return false;
  const wanted = at<Record<string, string>>(spec as object, "selector.matchLabels") ?? {};
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

interface HeaderMatch {
  name: string;
  string_match: { exact?: string; prefix?: string };
}

/** At the sidecar of what is called, before anything else. */
const isFirstInbound = (patch: object) =>
  at(patch, "applyTo") === "HTTP_FILTER" &&
  at(patch, "patch.operation") === "INSERT_FIRST" &&
  ["ANY", "SIDECAR_INBOUND"].includes(at<string>(patch, "match.context") ?? "");

/** The rules of Envoy's RBAC filter: https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/rbac/v3/rbac.proto */
interface Rbac {
  action: string;
  policies: Record<string, { permissions: object[]; principals: { header: HeaderMatch }[] }>;
}

function isRefusedBy(filter: Manifest, asked: Asked, reading: Reading): boolean {
  const patches = at<object[]>(filter, "spec.configPatches") ?? [];
  return patches.some((patch) => {
    const rules = at<Rbac>(patch, "patch.value.typed_config.rules");
    if (rules?.action !== "DENY" || !isFirstInbound(patch)) return false;
    const policies = Object.values(rules.policies);
    const ofAll = policies.filter(({ permissions }) =>
      isDeepStrictEqual(permissions, [{ any: true }]),
    );
    const principals = ofAll.flatMap((policy) => policy.principals);
    return principals.some(({ header: { name, string_match: like, ...others } }) => {
      const [unknown] = Object.keys(others);
      if (unknown) throw new Error(`a header matcher's ${unknown} is not known here`);
      return valuesOf(`request.headers[${name}]`, asked, reading).some((value) =>
        like.prefix === undefined ? value === like.exact : value.startsWith(like.prefix),
      );
    });
  });
}

function matches(rule: PolicyRule, namespace: string, asked: Asked, reading: Reading): boolean {
  const { from, to, when = [] } = rule;
  return (
    (from?.some(({ source }) => isSource(source, namespace, asked)) ?? true) &&
    (to?.some(({ operation }) => isOperation(operation, asked)) ?? true) &&
    when.every((condition) => isMet(condition, asked, reading))
  );
}

function isSource(source: Record<string, string[]>, namespace: string, asked: Asked): boolean {
  const { principal = "", requestPrincipal } = asked;
  return Object.entries(source).every(([field, values]) => {
    switch (field) {
      case "notPrincipals":
        return !values.includes(principal);
      case "serviceAccounts":
        return values.some((value) => {
          const [account, owner = namespace] = value.split("/").reverse();
          return principal === `cluster.local/ns/${owner}/sa/${account}`;
        });
      case "notRequestPrincipals":
        return requestPrincipal === undefined || !isLikeOne(requestPrincipal, values);
      default:
        throw new Error(`a policy's source.${field} is not known here`);
    }
  });
}

function isOperation(operation: Record<string, string[]>, asked: Asked): boolean {
  const { port: ports, method: methods = "GET", path = "/api/greeting" } = asked;
  const [paths = ""] = path.split("?");
  const values: Readonly<Record<string, string>> = { ports, methods, paths };
  return Object.entries(operation).every(([field, patterns]) => {
    const [, not, noun = field] = /^(not)(\w+)$/.exec(field) ?? [];
    const value = values[noun.toLowerCase()];
    if (value === undefined) throw new Error(`a policy's operation.${field} is not known here`);
    return patterns.some((pattern) => isLike(value, pattern)) === !not;
  });
}

function isMet({ key, values, notValues }: Condition, asked: Asked, reading: Reading): boolean {
  const found = valuesOf(key, asked, reading);
  const isOneOf = (patterns: string[]) => found.some((value) => isLikeOne(value, patterns));
  return (!values || isOneOf(values)) && (!notValues || !isOneOf(notValues));
}

function valuesOf(key: string, { principal, headers }: Asked, reading: Reading): string[] {
  if (key === "source.principal") return principal === undefined ? [] : [principal];
  const name = /^request\.headers\[(.+)\]$/.exec(key)?.[1]?.toLowerCase();
  if (!name) throw new Error(`a policy's condition on ${key} is not known here`);
  const found = headers
    .filter(([header]) => header.toLowerCase() === name)
    .map(([, value]) => value);
  return reading === "each" || found.length === 0 ? found : [found.join(",")];
}

function isLikeOne(value: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => isLike(value, pattern));
}

function isLike(value: string, pattern: string): boolean {
  if (pattern === "*") return true;
  if (pattern.startsWith("*")) return value.endsWith(pattern.slice(1));
  if (pattern.endsWith("*")) return value.startsWith(pattern.slice(0, -1));
  return value === pattern;
}
