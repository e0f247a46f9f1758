/** Mistakes in what requests from outside may ask: in every overlay, and in the components that can be added to one. */
import type { Mistake } from "./manifest-mistakes.ts";

const paths = "spec.rules.0.to.0.operation.paths";

export const outsideMistakes: readonly Mistake[] = [
  [
    "metrics that are public",
    /AuthorizationPolicy inside-only$/,
    "spec.selector.matchLabels",
    { "app.kubernetes.io/component": "source" },
    /^gateway answers \/metrics to those outside/m,
  ],
  [
    "a wake-up for everyone",
    /AuthorizationPolicy inside-only$/,
    paths,
    ["/metrics"],
    /^gateway answers \/wake to those outside/m,
  ],
  [
    "metrics that are public while the activator is between",
    /AuthorizationPolicy inside-only-of-dev$/,
    "spec.rules.0.when.0.values",
    ["test", "test,*"],
    /^the activator before gateway answers \/metrics to those outside/m,
  ],
  [
    "metrics that are public where the namespace is sent twice",
    /AuthorizationPolicy inside-only-of-dev$/,
    "spec.rules.0.when.0.values",
    ["dev"],
    /^the activator before ui answers \/wake\?x=1 to those outside/m,
  ],
  [
    "more refused than is for the inside",
    /AuthorizationPolicy inside-only$/,
    paths,
    ["/metrics", "/wake", "/*"],
    /^gateway refuses \/api\/greeting to those outside/m,
  ],
];

/** Of istio/overlays/dev with the components jwt and rate-limit. */
export const componentMistakes: readonly Mistake[] = [
  [
    "the gateway's gRPC without a token",
    /AuthorizationPolicy token$/,
    "spec.rules.0.to.0.operation",
    { paths: ["/api/*"] },
    /^the gateway answers \/greeting.GreetingService\/Greeting without a token by knative-serving\/activator/m,
  ],
  [
    "a token that only the ingress' requests need",
    /AuthorizationPolicy token$/,
    "spec.rules.0.from.0.source.serviceAccounts",
    ["istio-system/istio-ingressgateway-service-account"],
    /^the gateway answers \/api\/greeting without a token by knative-serving\/activator/m,
  ],
  [
    "a token for the gateway's health",
    /AuthorizationPolicy token$/,
    "spec.rules.0.to.0.operation.notPaths",
    ["/readyz", "/readyz/self"],
    /^the gateway's \/healthz needs a token/m,
  ],
  [
    "a token for a browser's first question",
    /AuthorizationPolicy token$/,
    "spec.rules.0.to.0.operation.notMethods",
    undefined,
    /^a browser's first question \(OPTIONS\) needs a token/m,
  ],
  [
    "a token for the autoscaler",
    /AuthorizationPolicy token$/,
    "spec.rules.0.to.0.operation.ports",
    undefined,
    /^the autoscaler needs a token at the gateway$/m,
  ],
  [
    "a token for the page",
    /AuthorizationPolicy token$/,
    "spec.selector.matchLabels",
    { "app.kubernetes.io/component": "function" },
    /^ui needs a token/m,
  ],
  [
    "a secret key in the repository",
    /RequestAuthentication token$/,
    "spec.jwtRules.0.jwks",
    '{"keys":[{"kty":"EC","x":"x","y":"y","d":"d"}]}',
    /^RequestAuthentication token: has a key that is not public$/,
  ],
  [
    "a token for anyone",
    /RequestAuthentication token$/,
    "spec.jwtRules.0.audiences",
    undefined,
    /^RequestAuthentication token: takes tokens of any issuer, or for anyone$/,
  ],
  [
    "a limit that an upper-case host passes by",
    /EnvoyFilter dev-rate-limit-at-ingress$/,
    "spec.configPatches.0.patch.value.typed_config.rate_limits.0.actions.0.header_value_match.headers.0.string_match.ignore_case",
    false,
    /API\.DEV\.EXAMPLE-API\.COM has no limit$/m,
  ],
  [
    "a limit that a DomainMapping's request meets twice",
    /EnvoyFilter dev-rate-limit-at-ingress$/,
    "spec.configPatches.0.patch.value.typed_config.rate_limits.0.actions.0.header_value_match.headers.1",
    { name: ":authority", string_match: { contains: "." } },
    /: counts gateway\.dev\.svc\.cluster\.local$/,
  ],
  [
    "a limit without an end",
    /EnvoyFilter dev-rate-limit-at-ingress$/,
    "spec.configPatches.0.patch.value.typed_config.descriptors.0.token_bucket.tokens_per_fill",
    4_294_967_295,
    /api\.dev\.example-api\.com has no limit/m,
  ],
  [
    "a limit in every sidecar",
    /EnvoyFilter dev-rate-limit-at-ingress$/,
    "spec.workloadSelector",
    undefined,
    /^EnvoyFilter dev-rate-limit-at-ingress: is not at the ingress$/,
  ],
];
