/** knative/components/bridge: our bridge, where Knative's RabbitmqSource is not. */
import type { Definition } from "#host/kinds/definition";
import { sourcesOf } from "../../declared-graph.ts";
import { metricsAnnotations, servingContainer } from "./container.ts";
import { accountOf, labelsOf, podLabelsOf, portNumber } from "./platform.ts";
import { objectName, sourceAccount } from "./source.ts";
import type { Written } from "./written.ts";

export function bridgeDeployment({ name, deploy }: Definition): Written[] {
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, labels: labelsOf(name, "source") },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: {
          labels: podLabelsOf(name, "source"),
          annotations: metricsAnnotations(portNumber),
        },
        spec: {
          serviceAccountName: name,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 30,
          containers: [
            {
              name,
              ...servingContainer(name, ["rabbitmq"], deploy.resources, { probed: portNumber }),
            },
          ],
        },
      },
    },
  };
  return [
    {
      about: "A Deployment and no Knative Service: it waits for messages, not for requests.",
      object: accountOf(name, "source"),
    },
    { object: deployment },
  ];
}

/** Deletes each source and its account: beside the bridge, a source would take half of the messages. */
export function bridgeComponent(bridges: readonly string[], definitions: readonly Definition[]) {
  const gone = sourcesOf(definitions).flatMap(({ queue }) => [
    ["sources.knative.dev/v1alpha1", "RabbitmqSource", objectName(queue)],
    ["v1", "ServiceAccount", sourceAccount(queue)],
  ]);
  const patches = gone.map(([apiVersion, kind, name]) => ({
    patch: `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n$patch: delete`,
  }));
  const written: Written = {
    about: "Our bridge in place of Knative's RabbitmqSource, for clusters that do not have it.",
    object: {
      apiVersion: "kustomize.config.k8s.io/v1alpha1",
      kind: "Component",
      resources: bridges.map((name) => `${name}.yaml`),
      ...(patches.length > 0 && { patches }),
    },
  };
  return written;
}
