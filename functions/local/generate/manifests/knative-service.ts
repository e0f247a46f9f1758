/** knative/base/FUNCTION.yaml: a function as a Knative Service, with an account of its own. */
import type { Definition } from "#host/kinds/definition";
import type { Deployable } from "../../discover.ts";
import { metricsAnnotations, servingContainer } from "./container.ts";
import { accountOf, domain, labelsOf, podLabelsOf, portNumber } from "./platform.ts";
import { wakeGraphOf } from "./wake.ts";
import type { Written } from "./written.ts";

const defaults = { max: 5, concurrency: 100, timeoutSeconds: 60 };
/**
 * How many requests a pod of a function has when its one thread has no time left: knative/SIZING.md computes it. Knative
 * keeps to 70 % of it. Of the smallest function of each kind, so that pods come rather early than late.
 */
const targets = { leaf: 10, caller: 15 };

/** A handler without a definition gets the defaults, without a broker and a database. */
export function knativeService(one: Deployable, functions: readonly Deployable[]): Written[] {
  const { name, definition } = one;
  const { deploy = {}, effects = [] } = definition ?? {};
  const systems = effects.map(({ system }) => system);
  const labels = labelsOf(name, "function");
  const container = servingContainer(name, systems, deploy.resources, {
    wake: wakeGraphOf(one, functions),
  });
  const waking = container.env?.findIndex((variable) => variable.name === "WAKE") ?? -1;
  const service = {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: {
      name,
      labels: {
        ...labels,
        ...(!deploy.public && { "networking.knative.dev/visibility": "cluster-local" }),
      },
    },
    spec: {
      template: {
        metadata: {
          labels: podLabelsOf(name, "function"),
          annotations: {
            ...scaleOf({ target: targetOf(definition), ...deploy.scale }),
            ...metricsAnnotations(portNumber),
            "traffic.sidecar.istio.io/excludeInboundPorts": "9091",
          },
        },
        spec: {
          serviceAccountName: name,
          containerConcurrency: deploy.concurrency ?? defaults.concurrency,
          timeoutSeconds: deploy.timeoutSeconds ?? defaults.timeoutSeconds,
          enableServiceLinks: false,
          containers: [container],
        },
      },
    },
  };
  return [
    { about: aboutOf(name, definition), object: accountOf(name, "function") },
    {
      object: service,
      notes: [
        [
          ["spec", "template", "metadata", "annotations", "prometheus.io/scrape"],
          "Istio's agent in the pod reads the function's metrics here, and Knative's queue-proxy gives its own on 9091: past the sidecar, for Prometheus has no certificate of the mesh.",
        ],
        [
          ["spec", "template", "spec", "containers", 0, "ports"],
          "Without a name: HTTP/1.1 and gRPC then both keep their version up to the function.",
        ],
        ...(waking < 0
          ? []
          : ([
              [
                ["spec", "template", "spec", "containers", 0, "env", waking],
                "What each callee and queue leads to: from zero all of it is woken at once.",
              ],
            ] as const)),
      ],
    },
  ];
}

/** Of one's own work, a handler's or a page's, nothing is known: Knative's default holds. */
function targetOf(definition: Definition | undefined): number | undefined {
  if (definition?.kind !== "greeter" && definition?.kind !== "subscriber") return undefined;
  return definition.calls.length > 0 ? targets.caller : targets.leaf;
}

interface Scale {
  readonly min?: number;
  readonly max?: number;
  readonly target: number | undefined;
}

function scaleOf({ min, max, target }: Scale) {
  const key = (name: string) => `autoscaling.knative.dev/${name}`;
  return {
    ...(target !== undefined && { [key("metric")]: "concurrency", [key("target")]: `${target}` }),
    ...(min !== undefined && { [key("min-scale")]: `${min}` }),
    [key("max-scale")]: `${max ?? Math.max(defaults.max, min ?? 0)}`,
  };
}

/** What the function does, in a sentence or a few. */
function aboutOf(name: string, definition: Definition | undefined): string {
  if (!definition)
    return "Registered with functions-framework directly: declares no calls and no effects.";
  const { calls, effects, from, deploy } = definition;
  const protocols = { http: "HTTP", grpc: "gRPC" };
  const edges = calls.map((callee) => `${callee.name} over ${protocols[callee.protocol]}`);
  const to = (system: string) =>
    effects.flatMap((one) => (one.system === system ? [one.destination] : []));
  const clauses: [verb: string, objects: string[]][] = [
    ["Calls", edges],
    ["Consumes the queue", from ? [from] : []],
    ["Saves to MongoDB's", to("mongodb")],
    ["Publishes to the queue", to("rabbitmq")],
    ["Is public, as", deploy.public ? [`${deploy.subdomain ?? name}.ENVIRONMENT.${domain}`] : []],
  ];
  const sentences = clauses.flatMap(([verb, objects]) =>
    objects.length > 0 ? [`${verb} ${objects.join(" and ")}.`] : [],
  );
  return sentences.join(" ") || "Calls no function, and neither saves nor publishes.";
}
