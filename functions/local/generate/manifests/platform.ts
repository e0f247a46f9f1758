/** Constants of the generated manifests. Files written by hand repeat some of them: change both together. */

/** Public functions are at SUBDOMAIN.ENVIRONMENT.DOMAIN. */
export const domain = "example-api.com";

/** Where prod's images come from. */
export const registry = "registry.example-api.com/greetings";

/** The account of the way in from outside. */
export const ingress = { namespace: "istio-system", name: "istio-ingressgateway-service-account" };

/** Stands for the environment's namespace in istio/base; istio/components/environment replaces it. */
export const namespace = "NAMESPACE";

export const portNumber = 8080;

const partOf = { "app.kubernetes.io/part-of": "greetings" };

/** Of an object that belongs to no one workload. */
export const shared = partOf;

export function labelsOf(name: string, component: string) {
  return {
    "app.kubernetes.io/name": name,
    "app.kubernetes.io/component": component,
    ...partOf,
  };
}

/** Kiali and the policies go by `app` and `version`. */
export function podLabelsOf(name: string, component: string) {
  return { app: name, version: "v1", ...labelsOf(name, component) };
}

/** Who may call whom is decided by account: each workload has its own. */
export function accountOf(name: string, component: string, token = false) {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name, labels: labelsOf(name, component) },
    automountServiceAccountToken: token,
  };
}
