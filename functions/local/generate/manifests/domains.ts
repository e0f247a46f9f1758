/** knative/overlays/ENVIRONMENT/domains.yaml: the addresses of public functions. */
import type { Definition } from "#host/kinds/definition";
import { domain, shared } from "./platform.ts";
import type { Written } from "./written.ts";

export function domainsOf(environment: string, definitions: readonly Definition[]): Written[] {
  const found = definitions.filter(({ deploy }) => deploy.public);
  const about =
    "The addresses of public functions. The cluster-wide claims say that only this namespace may map the names.";
  return found.flatMap(({ name, deploy }, index): Written[] => {
    const metadata = {
      name: `${deploy.subdomain ?? name}.${environment}.${domain}`,
      labels: shared,
    };
    const claim = {
      apiVersion: "networking.internal.knative.dev/v1alpha1",
      kind: "ClusterDomainClaim",
      metadata,
      spec: { namespace: environment },
    };
    const mapping = {
      apiVersion: "serving.knative.dev/v1beta1",
      kind: "DomainMapping",
      metadata,
      spec: { ref: { apiVersion: "serving.knative.dev/v1", kind: "Service", name } },
    };
    return [{ object: claim, ...(index === 0 && { about }) }, { object: mapping }];
  });
}
