/** What requests from outside may ask, whichever way they come to a function: Envoy's answer before the function's. */
import { isDeepStrictEqual } from "node:util";
import { type Environment, find, ingress, isPublic, type Rule, servicesOf } from "./environment.ts";
import { at, titleOf } from "./manifests.ts";
import { type Asked, isAllowed, policiesAt } from "./policies.ts";
import { counts } from "./rate-limit.ts";
import { activator, principalOf, readings, routeHeaders } from "./strangers.ts";

/** For the inside alone. */
export const insidePaths = ["/metrics", "/wake"];
const openPaths = [
  "/",
  "/api/greeting",
  "/healthz",
  "/readyz",
  "/greeting.GreetingService/Greeting",
];
/** Of the gateway: everything that is more than its health. */
const tokenPaths = [
  ...["/", "/api/greeting", "/api/graph", "/openapi.json", "/api/services/service-c/greeting"],
  ...["/greeting.GreetingService/Greeting", "//healthz", "/healthz/x"],
];
const healthPaths = ["/healthz", "/readyz", "/readyz/self"];
const valid = "https://issuer.example-api.com/someone";

type At = "function" | "activator";

/**
 * Whether a request passes the sidecar of a function, or of the activator where that is between. It must in both
 * readings of a header for it to be certain, and in neither for it to be refused.
 */
export function passes(
  environment: Environment,
  name: string,
  where: At,
  asked: Partial<Asked>,
): boolean[] {
  const { namespace, manifests, mesh } = environment;
  const labels = { app: name, "app.kubernetes.io/component": "function" };
  const policies =
    where === "function"
      ? policiesAt([...manifests, ...mesh], { namespace, labels })
      : policiesAt([...manifests, ...mesh], activator);
  const requests = where === "function" ? [[]] : withSecondNamespace(routeHeaders(name, namespace));
  // A policy's paths do not see the query.
  const [path = "/api/greeting"] = asked.path?.split("?") ?? [];
  return requests.flatMap((headers) => {
    const request = { port: "8012", method: "GET", headers, ...asked, path };
    return readings.map((one) => isAllowed(policies, request, one));
  });
}

/** As a route sends them, and with a namespace that the client adds behind: the activator takes the first. */
function withSecondNamespace(headers: ReturnType<typeof routeHeaders>) {
  return [headers, [...headers, ["Knative-Serving-Namespace", "x"] as const]];
}

function insideOnly(environment: Environment): string[] {
  const { namespace } = environment;
  const principal = principalOf(ingress, namespace);
  return servicesOf(environment)
    .filter(isPublic)
    .flatMap(({ name }) =>
      (["function", "activator"] as const).flatMap((where) => {
        const way = where === "function" ? name : `the activator before ${name}`;
        const all = (path: string) =>
          passes(environment, name, where, { principal, path, requestPrincipal: valid });
        return [
          ...insidePaths
            .flatMap((path) => [path, `${path}?x=1`])
            .filter((path) => all(path).includes(true))
            .map((path) => `${way} answers ${path} to those outside`),
          ...openPaths
            .filter((path) => all(path).includes(false))
            .map((path) => `${way} refuses ${path} to those outside`),
        ];
      }),
    );
}

/** Where tokens are asked for, all of the gateway but its health needs one, with the activator between or not. */
function tokens(environment: Environment): string[] {
  const authentication = find(environment, "RequestAuthentication", "token");
  if (!authentication) return [];
  const title = titleOf(authentication);
  const rules = at<Record<string, unknown>[]>(authentication, "spec.jwtRules") ?? [];
  const selector = at(authentication, "spec.selector.matchLabels");
  return [
    ...(isDeepStrictEqual(selector, { app: "gateway" }) ? [] : [`${title}: is not the gateway's`]),
    ...rules.flatMap(({ issuer, audiences, jwks }) => [
      ...(issuer && Array.isArray(audiences) && audiences.length > 0
        ? []
        : [`${title}: takes tokens of any issuer, or for anyone`]),
      ...keyProblems(`${jwks}`).map((problem) => `${title}: ${problem}`),
    ]),
    ...withoutToken(environment),
  ];
}

function withoutToken(environment: Environment): string[] {
  const { namespace } = environment;
  const ways = [ingress, "knative-serving/activator"];
  const scraping = { port: "9090", path: "/metrics" };
  const passing = (name: string, account: string, asked: Partial<Asked>) =>
    passes(environment, name, "function", { principal: principalOf(account, namespace), ...asked });
  const autoscaler = passing("gateway", "knative-serving/controller", scraping);
  const ofAutoscaler = autoscaler.includes(false)
    ? ["the autoscaler needs a token at the gateway"]
    : [];
  const byWay = ways.flatMap((account) => [
    ...tokenPaths
      .filter((path) => passing("gateway", account, { path }).includes(true))
      .map((path) => `the gateway answers ${path} without a token by ${account}`),
    ...tokenPaths
      .filter((path) =>
        passing("gateway", account, { path, requestPrincipal: valid }).includes(false),
      )
      .map((path) => `the gateway refuses ${path} with a token by ${account}`),
    ...healthPaths
      .filter((path) => passing("gateway", account, { path }).includes(false))
      .map((path) => `the gateway's ${path} needs a token by ${account}`),
    ...(passing("gateway", account, { method: "OPTIONS" }).includes(false)
      ? [`a browser's first question (OPTIONS) needs a token by ${account}`]
      : []),
    ...servicesOf(environment)
      .filter((one) => isPublic(one) && one.name !== "gateway")
      .filter(({ name }) => passing(name, account, { path: "/" }).includes(false))
      .map(({ name }) => `${name} needs a token by ${account}`),
  ]);
  return [...ofAutoscaler, ...byWay];
}

/** Whoever has the repository has what is in it: a private key would make tokens. */
function keyProblems(jwks: string): string[] {
  let keys: Record<string, unknown>[];
  try {
    keys = JSON.parse(jwks).keys;
  } catch {
    return ["has no keys that can be read"];
  }
  if (!Array.isArray(keys) || keys.length === 0) return ["has no keys"];
  const isSecret = (key: Record<string, unknown>) => "d" in key || "k" in key || key.kty === "oct";
  return keys.some(isSecret) ? ["has a key that is not public"] : [];
}

/** A rate limit counts each public function by all of its names, and no other environment's. */
function limits(environment: Environment): string[] {
  const { namespace } = environment;
  const filter = environment.manifests.find(
    ({ kind, metadata }) => kind === "EnvoyFilter" && metadata.name.includes("rate-limit"),
  );
  if (!filter) return [];
  const title = titleOf(filter);
  const own = servicesOf(environment)
    .filter(isPublic)
    .flatMap(({ name, definition }) => [
      `${definition?.deploy.subdomain ?? name}.${namespace}.example-api.com`,
      `${name}.${namespace}.example.com`,
    ])
    .flatMap((host) => [host, `${host}:8080`, host.toUpperCase()]);
  const others = [
    ...["api.other.example-api.com", `${namespace}.example-api.com`],
    `gateway.${namespace}.svc.cluster.local`,
  ];
  const selector = at(filter, "spec.workloadSelector.labels");
  const isAtIngress = isDeepStrictEqual(selector, { istio: "ingressgateway" });
  return [
    ...(isAtIngress ? [] : [`${title}: is not at the ingress`]),
    ...own.filter((host) => !counts(filter, host)).map((host) => `${title}: ${host} has no limit`),
    ...others.filter((host) => counts(filter, host)).map((host) => `${title}: counts ${host}`),
  ];
}

/** cert-manager writes the Secret that the addresses name, for all of them. */
function certificates({ namespace, manifests }: Environment): string[] {
  const wanted = manifests.flatMap((one) => at<string>(one, "spec.tls.secretName") ?? []);
  return manifests
    .filter(({ kind }) => kind === "Certificate")
    .flatMap((certificate) => {
      const names = at<string[]>(certificate, "spec.dnsNames");
      const secret = at<string>(certificate, "spec.secretName") ?? "";
      const title = titleOf(certificate);
      return [
        ...(isDeepStrictEqual(names, [`*.${namespace}.example-api.com`])
          ? []
          : [`${title}: is for [${names}], and not for the wildcard of ${namespace}`]),
        ...(wanted.includes(secret) ? [] : [`${title}: no address takes the Secret ${secret}`]),
      ];
    });
}

export const outsideRules: readonly Rule[] = [insideOnly, tokens, limits, certificates];
