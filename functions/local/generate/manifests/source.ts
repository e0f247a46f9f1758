/** knative/base/source.yaml: what brings each consumed queue's messages to its consumer. */
import type { SourceEdge } from "../../declared-graph.ts";
import { accountOf, labelsOf } from "./platform.ts";
import type { Written } from "./written.ts";

/** A queue's name may contain dots; a pod's name should not. `clashesOf` refuses queues that differ only in this. */
export function objectName(queue: string): string {
  return queue.replaceAll(".", "-");
}

/** Each source has its own account, so that policies admit it to the consumer of its queue and to no other function. */
export function sourceAccount(queue: string): string {
  return `${objectName(queue)}-source`;
}

export function rabbitmqSource({ queue, to }: SourceEdge): Written[] {
  const account = sourceAccount(queue);
  const source = {
    apiVersion: "sources.knative.dev/v1alpha1",
    kind: "RabbitmqSource",
    metadata: {
      name: objectName(queue),
      labels: labelsOf(account, "source"),
      annotations: {
        "rabbitmq.eventing.knative.dev/cpu-request": "25m",
        "rabbitmq.eventing.knative.dev/memory-request": "32Mi",
        "rabbitmq.eventing.knative.dev/cpu-limit": "1",
        "rabbitmq.eventing.knative.dev/memory-limit": "128Mi",
      },
    },
    spec: {
      serviceAccountName: account,
      rabbitmqClusterReference: { connectionSecret: { name: "connections" } },
      rabbitmqResourcesConfig: { predeclared: true, queueName: queue, parallelism: 32 },
      delivery: { retry: 10, backoffPolicy: "exponential", backoffDelay: "PT0.2S" },
      sink: { ref: { apiVersion: "serving.knative.dev/v1", kind: "Service", name: to } },
    },
  };
  return [
    {
      about: `Brings the messages of the queue ${queue} to ${to}. The queue is declared beforehand (queue.yaml), with a dead-letter exchange: after the last try the source rejects a message, and it goes there.`,
      object: accountOf(account, "source", true),
      notes: [
        [
          ["automountServiceAccountToken"],
          "The source's adapter does not start without a token, though it has no rights with it.",
        ],
      ],
    },
    {
      object: source,
      notes: [
        [
          ["spec", "rabbitmqResourcesConfig", "parallelism"],
          "As many messages are delivered at the same time; their order is lost.",
        ],
        [
          ["spec", "delivery"],
          `What ${to} answers with 503 is tried again after 0.4 s, 0.8 s, 1.6 s … 205 s: for 6.8 minutes in all.`,
        ],
      ],
    },
  ];
}
