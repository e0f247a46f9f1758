/** The parts of a container that every workload of the functions has. */
import type { WakeGraph } from "#host/base/wake-config";
import type { Deploy, Destination } from "#host/kinds/definition";
import { portNumber } from "./platform.ts";

const defaults = {
  requests: { cpu: "25m", memory: "128Mi" },
  limits: { cpu: "1", memory: "256Mi" },
};

export function resourcesOf({ requests, limits }: Deploy["resources"] & object = {}) {
  return {
    requests: { ...defaults.requests, ...requests },
    limits: { ...defaults.limits, ...limits },
  };
}

export const securityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};

const connections = { mongodb: "MONGODB_URL", rabbitmq: "RABBITMQ_URL" };

/** The addresses that a workload needs, and no other. They hold passwords, so they come from a Secret. */
export function connectionsTo(systems: Iterable<Destination["system"]>) {
  const used = new Set(systems);
  const keys = Object.entries(connections).flatMap(([system, key]) =>
    used.has(system as Destination["system"]) ? [key] : [],
  );
  return keys.map((key) => ({
    name: key,
    valueFrom: { secretKeyRef: { name: "connections", key } },
  }));
}

/** What the function leads to (wake.ts), if it leads to anything. */
function wakeVariable(graph: WakeGraph) {
  return Object.keys(graph).length > 0 ? [{ name: "WAKE", value: JSON.stringify(graph) }] : [];
}

/**
 * The container that serves a function. Ready is what listens, with or without its broker: Knative gives up a revision
 * that is not ready within its progress deadline, and does not come back to it. `probed` is left out for a Knative
 * Service, whose queue-proxy knows the port.
 */
export function servingContainer(
  image: string,
  systems: Iterable<Destination["system"]>,
  resources: Deploy["resources"],
  { probed, wake = {} }: { probed?: number; wake?: WakeGraph },
) {
  const env = [...connectionsTo(systems), ...wakeVariable(wake)];
  const get = (path: string) => ({ httpGet: { path, ...(probed && { port: probed }) } });
  return {
    image,
    ports: [{ containerPort: portNumber }],
    envFrom: [{ configMapRef: { name: "settings" } }],
    ...(env.length > 0 && { env }),
    readinessProbe: get("/readyz/self"),
    livenessProbe: get("/healthz"),
    resources: resourcesOf(resources),
    securityContext,
  };
}

export const metricsAnnotations = (port: number) => ({
  "prometheus.io/scrape": "true",
  "prometheus.io/port": `${port}`,
  "prometheus.io/path": "/metrics",
});
