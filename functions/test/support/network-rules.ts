/** Which ports of a pod are open on the cluster's network, and to whom: the mesh guards some, and not all. */
import { isDeepStrictEqual } from "node:util";
import type { Environment, Rule } from "./environment.ts";
import { at, type Manifest, titleOf } from "./manifests.ts";

interface Peer {
  namespaceSelector?: { matchLabels?: Record<string, string> };
  podSelector?: { matchLabels?: Record<string, string> };
}

type Open = readonly (readonly [port: number, who: string])[];

const all = "all";

/** Past the sidecar, with no mTLS: for Prometheus alone. */
const metrics: Open = [
  [9091, "istio-system prometheus"],
  [15020, "istio-system prometheus"],
];
const requests: Open = [
  [8012, all],
  [8013, all],
  [8112, all],
  [9090, "knative-serving"],
];
const backing: Readonly<Record<string, Open>> = {
  rabbitmq: [[5672, all]],
  mongodb: [[27017, all]],
};

function ports({ manifests }: Environment): string[] {
  const policies = manifests.filter(({ kind }) => kind === "NetworkPolicy");
  return manifests.flatMap((workload) => {
    const labels = at<Record<string, string>>(workload, "spec.template.metadata.labels");
    if (!labels) return [];
    const isFunction = labels["app.kubernetes.io/component"] === "function";
    const own = isFunction ? requests : (backing[labels.app ?? ""] ?? []);
    const wanted = textOf([...own, ...metrics]);
    const found = textOf(policies.filter((policy) => selects(policy, labels)).flatMap(openBy));
    return isDeepStrictEqual(found, wanted)
      ? []
      : [`${titleOf(workload)}: the network lets in [${found}], and [${wanted}] is right`];
  });
}

function selects(policy: Manifest, labels: Record<string, string>): boolean {
  const wanted = at<Record<string, string>>(policy, "spec.podSelector.matchLabels") ?? {};
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

function openBy(policy: Manifest): Open {
  const rules = at<{ from?: Peer[]; ports?: { port: number }[] }[]>(policy, "spec.ingress") ?? [];
  return rules.flatMap(({ from, ports = [{ port: 0 }] }) =>
    ports.flatMap(({ port }) =>
      (from?.map(nameOf) ?? [all]).map((who): [number, string] => [port, who]),
    ),
  );
}

function nameOf({ namespaceSelector, podSelector }: Peer): string {
  const namespace = namespaceSelector?.matchLabels?.["kubernetes.io/metadata.name"] ?? "any";
  const pod = podSelector?.matchLabels?.["app.kubernetes.io/name"];
  return pod ? `${namespace} ${pod}` : namespace;
}

function textOf(open: Open): string {
  const sorted = [...open].sort(([one], [other]) => one - other);
  return sorted.map(([port, who]) => `${port} ${who}`).join(", ");
}

export const networkRules: readonly Rule[] = [ports];
