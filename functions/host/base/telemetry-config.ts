import { randomUUID } from "node:crypto";
import type { Attributes } from "@opentelemetry/api";

/** OpenTelemetry's own names for how a trace is chosen to be kept. */
export const samplers = [
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
  "always_on",
  "always_off",
  "traceidratio",
] as const;

/** OpenTelemetry's variables for the batches of spans: in ms, and in spans. */
export const batchVariables = {
  scheduledDelayMillis: "OTEL_BSP_SCHEDULE_DELAY",
  exportTimeoutMillis: "OTEL_BSP_EXPORT_TIMEOUT",
  maxQueueSize: "OTEL_BSP_MAX_QUEUE_SIZE",
  maxExportBatchSize: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
} as const;

/** OpenTelemetry's name for the one protocol that spans are sent by. */
const sentBy = "http/protobuf";

/** What to say of a variable that asks for another protocol than the one there is. */
export function protocolNotice(env: Readonly<Record<string, string | undefined>>) {
  for (const name of ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"]) {
    const asked = env[name]?.trim();
    if (!asked) continue;
    if (asked === sentBy) return undefined;
    return `${name}=${asked}: spans are sent by ${sentBy} all the same; the endpoint must be the receiver's for that, usually port 4318`;
  }
  return undefined;
}

/** Where spans go, and which. The exporter reads its other variables by itself. */
export interface TelemetryConfig {
  readonly tracesUrl: string;
  readonly sampler: (typeof samplers)[number];
  /** Of the samplers by ratio: the share that is kept, from 0 to 1. */
  readonly samplerRatio: number;
  /** How spans are sent, by the options of the SDK's batch processor; its own defaults for those left out. */
  readonly batches: Readonly<Partial<Record<keyof typeof batchVariables, number>>>;
  /** To be logged once: what was asked for and is not done. */
  readonly notice: string | undefined;
  /** What all spans of this process have in common. */
  readonly resource: Attributes;
}

/** The attributes of the process that serves this function, from its environment. */
export function resourceOf(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): Attributes {
  const { K_REVISION, HOSTNAME, NAMESPACE } = env;
  const onKubernetes = Boolean(env.KUBERNETES_SERVICE_HOST || K_REVISION);
  return {
    "service.name": name,
    ...(NAMESPACE && { "service.namespace": NAMESPACE }),
    "service.instance.id": randomUUID(),
    "faas.name": name,
    ...(K_REVISION && { "service.version": K_REVISION, "faas.version": K_REVISION }),
    ...(onKubernetes && HOSTNAME && { "faas.instance": HOSTNAME, "k8s.pod.name": HOSTNAME }),
    ...(onKubernetes && NAMESPACE && { "k8s.namespace.name": NAMESPACE }),
    ...pairsOf(env.OTEL_RESOURCE_ATTRIBUTES),
    ...(env.OTEL_SERVICE_NAME && { "service.name": env.OTEL_SERVICE_NAME }),
  };
}

/** Names and percent-encoded values, as OpenTelemetry's variables have them: "a=1,b=two%20words". What is none of it is left out. */
export function pairsOf(list = ""): Record<string, string> {
  const entries = list.split(",").flatMap((pair) => {
    const [name = "", value] = pair.split(/=(.*)/s, 2).map((part) => part.trim());
    return name && value !== undefined ? [[name, decode(value)]] : [];
  });
  return Object.fromEntries(entries);
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
