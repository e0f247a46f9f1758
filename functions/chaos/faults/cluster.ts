/** What happens to a cluster: pods are deleted, and a revision is replaced. */
import { setTimeout as wait } from "node:timers/promises";
import { functionNames } from "../../local/discover.ts";
import type { Cluster } from "../cluster.ts";
import { type FaultOf, on } from "../fault.ts";

const names = functionNames().filter((name) => name !== "ui" && name !== "bridge");

async function deletePods({ kubectl }: Cluster, selector: string): Promise<void> {
  const printed = await kubectl("delete", "pod", "--selector", selector, "--wait=false");
  if (!printed.includes("deleted")) throw new Error(`no pod has the label ${selector}`);
}

/** Of the stateful set behind the Service; it is over when the new pod is ready. */
async function deleteService(cluster: Cluster, name: string): Promise<void> {
  await deletePods(cluster, `app=${name}`);
  await wait(1_000);
  await cluster.kubectl("rollout", "status", `statefulset/${name}`, "--timeout=180s");
}

export const clusterFaults: readonly FaultOf<"cluster">[] = on("cluster", [
  ...names.map((name) => ({
    name: `pod of ${name} deleted`,
    run: (cluster: Cluster) => deletePods(cluster, `serving.knative.dev/service=${name}`),
  })),
  { name: "pod of the broker deleted", run: (cluster) => deleteService(cluster, "rabbitmq") },
  { name: "pod of the database deleted", run: (cluster) => deleteService(cluster, "mongodb") },
  {
    name: "new revision of service-c",
    strict: true,
    async run({ kubectl }) {
      const annotations = { "chaos.example-api.com/at": new Date().toISOString() };
      const patch = { spec: { template: { metadata: { annotations } } } };
      await kubectl("patch", "ksvc", "service-c", "--type=merge", "-p", JSON.stringify(patch));
      await wait(1_000);
      await kubectl("wait", "ksvc/service-c", "--for=condition=Ready", "--timeout=120s");
    },
  },
]);
