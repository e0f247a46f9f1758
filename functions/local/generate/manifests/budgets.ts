/** knative/components/standing/budgets.yaml: how many instances of each function may be away at a time. */
import { labelsOf } from "./platform.ts";
import type { Written } from "./written.ts";

export function disruptionBudgets(names: readonly string[]): Written[] {
  const about =
    "While a node is drained, one instance of each function is away at a time. Of one, and not all but one: with a single instance a node could never be drained. Instances that are not ready do not hold up a drain.";
  return names.map((name, index) => ({
    ...(index === 0 && { about }),
    object: {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name, labels: labelsOf(name, "function") },
      spec: {
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: "AlwaysAllow",
        selector: { matchLabels: { "serving.knative.dev/service": name } },
      },
    },
  }));
}
