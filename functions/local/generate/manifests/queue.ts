/** knative/base/queue.yaml: declares every queue before anything consumes it. */
import type { Definition } from "#host/kinds/definition";
import { sourcesOf } from "../../declared-graph.ts";
import { connectionsTo, resourcesOf, securityContext } from "./container.ts";
import { labelsOf, podLabelsOf } from "./platform.ts";
import type { Written } from "./written.ts";

const name = "declare-queue";

/**
 * One Job for all queues, published or only consumed. It runs a publisher's image by the publisher's account: that
 * image holds the broker's driver, and that account may reach the broker. Undefined where there is no publisher.
 */
export function declareQueues(definitions: readonly Definition[]): Written | undefined {
  const publishers = definitions
    .map(({ name, effects }) => ({
      name,
      queues: effects.flatMap(({ system, destination }) =>
        system === "rabbitmq" ? [destination] : [],
      ),
    }))
    .filter(({ queues }) => queues.length > 0);
  const [first] = publishers;
  if (!first) return undefined;
  const all = [
    ...publishers.flatMap(({ queues }) => queues),
    ...sourcesOf(definitions).map(({ queue }) => queue),
  ];
  const others = [...new Set(all)].filter((queue) => !first.queues.includes(queue));
  const object = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, labels: labelsOf(name, "queue") },
    spec: {
      backoffLimit: 1000,
      template: {
        metadata: { labels: podLabelsOf(name, "queue") },
        spec: {
          serviceAccountName: first.name,
          restartPolicy: "OnFailure",
          enableServiceLinks: false,
          containers: [
            {
              name,
              image: first.name,
              args: ["/app/main.js", "--declare-queues", ...others],
              env: connectionsTo(["rabbitmq"]),
              resources: resourcesOf(),
              securityContext,
            },
          ],
        },
      },
    },
  };
  return {
    about: `Declares ${[...new Set(all)].join(", ")}: each queue with its dead-letter exchange and queue, by the functions' own code, on whatever broker the Secret names. Knative's source looks for its queue every second until it exists. A Job cannot be changed: delete it before a new image is applied, as skaffold and cluster/deploy do.`,
    object,
    notes: [
      [
        ["spec", "backoffLimit"],
        "A broker that comes late is waited for: the container tries for a minute, and is started again, after 5 minutes at most.",
      ],
      [
        ["spec", "template", "spec", "serviceAccountName"],
        "A publisher's account: it may reach the broker.",
      ],
      ...(others.length > 0
        ? ([
            [
              ["spec", "template", "spec", "containers", 0, "args"],
              `Queues of other functions; ${first.name} declares its own by itself.`,
            ],
          ] as const)
        : []),
    ],
  };
}
