import { withoutPassword } from "../telemetry/logger.ts";
import { namePattern, sharesOf, urlProblem, writeShares } from "./addresses.ts";
import { HostError } from "./errors.ts";
import {
  batchVariables,
  protocolNotice,
  resourceOf,
  samplers,
  type TelemetryConfig,
} from "./telemetry-config.ts";
import { functionsIn, readWake, type WakeConfig } from "./wake-config.ts";

/** Every variable that the host reads, with what it means; README's table is tested against this. */
export const variables = {
  FUNCTION_TARGET: "the function to serve: its folder's name below functions/",
  PORT: "the one port for HTTP and gRPC (8080)",
  HOST: "the address to listen on (every address)",
  NAMESPACE: "the functions' Kubernetes namespace, where callees are then name.namespace (none)",
  CALL_PROTOCOL: "http or grpc for every edge, or declared (declared)",
  DEADLINE_MS: "the most time one request may take, in ms (5000)",
  DRAIN_TIMEOUT_MS: "after SIGTERM, the most time requests in flight may take, in ms (10000)",
  BODY_LIMIT_BYTES: "the largest request body (1048576)",
  MAX_CONCURRENT_REQUESTS:
    "requests at the same time, beyond which one is refused with 503 at once; half of them to one callee (1000)",
  LOG_LEVEL: "trace, debug, info, warn, error, fatal or silent (info)",
  LOG_LEVEL_HEADER:
    "on: a request's header x-log-level may ask for more lines of it, on every hop (off)",
  OTEL_EXPORTER_OTLP_ENDPOINT:
    "where spans are sent, by OTLP over HTTP; needed for there to be any",
  MONGODB_URL: "where functions save; needed by those that do",
  RABBITMQ_URL: "where functions publish and the bridge consumes; needed by those that do",
  CORS_ORIGINS: "origins whose pages may call the function, comma-separated, or * (none)",
  FAULTS: "on: requests may bring faults in the header x-fault; off: that is ignored (off)",
  METRICS: "on: GET /metrics shows figures to Prometheus; off: there are none (on)",
  WAKE: "what each callee and queue leads to, as JSON, to be woken with the first call; npm run generate writes it (none)",
  WAKE_IDLE_MS:
    "how long a callee is silent before a call to it may wake anything, in ms; 0: never (55000)",
  BRIDGE_PREFETCH: "messages the bridge delivers at the same time (32)",
  BRIDGE_ATTEMPTS: "deliveries of one message before it is dead-lettered (10)",
  GATEWAY_ORIGIN:
    "ui: the gateway, as a browser reaches it (api. in place of ui. in the page's own name)",
  PROMETHEUS_URL: "ui: where Istio's metrics are, for the graph's figures (none)",
  JAEGER_URL: "ui: Jaeger, as a browser reaches it, for links to traces (none)",
  KIALI_URL: "ui: Kiali, as a browser reaches it (none)",
  LIVE_URL: "ui: the local run's live graph; npm start sets it (none)",
  LIVE_CONTROL: "ui: on where LIVE_URL can stop and start functions; npm start sets it (off)",
} as const;

export type Variable = keyof typeof variables;
export type Environment = Readonly<Record<string, string | undefined>>;

const levels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export const callProtocols = ["declared", "http", "grpc"] as const;
const switches = ["on", "off"] as const;

export interface Config {
  readonly target: string;
  readonly port: number;
  readonly host: string | undefined;
  readonly callProtocol: (typeof callProtocols)[number];
  readonly deadlineMs: number;
  readonly drainTimeoutMs: number;
  readonly bodyLimitBytes: number;
  readonly maxConcurrentRequests: number;
  readonly logLevel: (typeof levels)[number];
  /** Whether a request may ask for more to be logged of it. */
  readonly logLevelHeader: boolean;
  /** Undefined: no spans are made. */
  readonly telemetry: TelemetryConfig | undefined;
  readonly mongodbUrl: string | undefined;
  readonly rabbitmqUrl: string | undefined;
  readonly corsOrigins: readonly string[];
  readonly faults: boolean;
  readonly metrics: boolean;
  /** Undefined: nothing is woken. */
  readonly wake: WakeConfig | undefined;
  readonly bridgePrefetch: number;
  readonly bridgeAttempts: number;
  readonly namespace: string | undefined;
  readonly ui: {
    readonly gatewayOrigin: string | undefined;
    readonly prometheusUrl: string | undefined;
    readonly jaegerUrl: string | undefined;
    readonly kialiUrl: string | undefined;
    readonly liveUrl: string | undefined;
    readonly liveControl: boolean;
  };
  /**
   * "host:port" of a function, or several as `sharesOf` reads them: what `SERVICE_B_ADDRESS` says, else its name and
   * NAMESPACE, port 80. Knative's routes know `name.namespace` and longer forms, but not the bare name.
   */
  addressOf(name: string): string;
}

/** What a function needs of its surroundings besides a port, from its definition. */
export interface Needs {
  /** Its name, where FUNCTION_TARGET does not give it: under functions-framework's own command line. */
  name: string;
  calls: readonly string[];
  mongodb: boolean;
  rabbitmq: boolean;
}

/** The environment variable that overrides a function's address: SERVICE_B_ADDRESS for service-b. */
export function addressVariable(name: string): string {
  return `${name.toUpperCase().replaceAll("-", "_")}_ADDRESS`;
}

/** The function to serve; undefined for a name that cannot be one, which `loadConfig` then reports. */
export function targetOf(env: Environment = process.env): string | undefined {
  const target = env.FUNCTION_TARGET?.trim();
  return target && namePattern.test(target) ? target : undefined;
}

/**
 * Reads and checks everything at once: throws one ERR_CONFIG error that lists every problem by
 * name and value (passwords masked). An empty variable counts as unset.
 */
export function loadConfig(env: Environment = process.env, needs?: Needs): Config {
  const problems: string[] = [];
  const text = (name: string) => env[name]?.trim() || undefined;
  const wrong = (name: string, expected: string) =>
    problems.push(`${name}=${withoutPassword(text(name) ?? "")}: ${expected}`);

  const integer = (name: string, fallback: number, [min, max]: readonly [number, number]) => {
    const value = text(name);
    if (value === undefined) return fallback;
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    wrong(name, `a whole number from ${min} to ${max} is expected`);
    return fallback;
  };
  const choice = <T extends string>(name: string, fallback: T, allowed: readonly T[]) => {
    const value = text(name);
    if (value === undefined) return fallback;
    if ((allowed as readonly string[]).includes(value)) return value as T;
    wrong(name, `one of ${allowed.join(", ")} is expected`);
    return fallback;
  };
  const url = (name: string, schemes: readonly string[], need?: string | false) => {
    const value = text(name);
    if (value === undefined) {
      // `need` names the function, by a variable that may hold anything.
      if (need) problems.push(`${name} is not set: ${withoutPassword(need)}`);
      return undefined;
    }
    const scheme = schemes.find((s) => value.startsWith(`${s}://`) && value.length > s.length + 3);
    const problem = scheme
      ? urlProblem(value)
      : `${schemes.join(":// or ")}://host:port is expected`;
    if (problem) wrong(name, problem);
    return value;
  };
  const web = (name: Variable) => url(name, ["http", "https"], undefined)?.replace(/\/+$/, "");
  const address = (name: string) => {
    const value = text(addressVariable(name));
    if (value === undefined) return namespace ? `${name}.${namespace}:80` : `${name}:80`;
    const shares = sharesOf(value);
    if (shares) return writeShares(shares);
    wrong(addressVariable(name), "host:port is expected, or several as in a:80=90,b:80=10");
    return value;
  };
  const telemetry = (): TelemetryConfig | undefined => {
    const base = url("OTEL_EXPORTER_OTLP_ENDPOINT", ["http", "https"]);
    const traces = url("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ["http", "https"]);
    const tracesUrl = traces ?? (base && `${base.replace(/\/$/, "")}/v1/traces`);
    const sampler = choice("OTEL_TRACES_SAMPLER", "parentbased_always_on", samplers);
    const samplerRatio = Number(text("OTEL_TRACES_SAMPLER_ARG") ?? 1);
    if (!(samplerRatio >= 0 && samplerRatio <= 1)) {
      wrong("OTEL_TRACES_SAMPLER_ARG", "a number from 0 to 1 is expected");
    }
    const batches = Object.entries(batchVariables).flatMap(([option, name]) => {
      const value = integer(name, -1, [0, 3_600_000]);
      return value < 0 ? [] : [[option, value]];
    });
    const off = [text("OTEL_SDK_DISABLED"), text("OTEL_TRACES_EXPORTER")].join().toLowerCase();
    if (!tracesUrl || /^true|none$/.test(off)) return undefined;
    const resource = resourceOf(target ?? "", env);
    const notice = protocolNotice(env);
    return {
      ...{ tracesUrl, sampler, samplerRatio, notice, resource },
      batches: Object.fromEntries(batches),
    };
  };

  const namespace = text("NAMESPACE");
  if (namespace && !namePattern.test(namespace)) {
    wrong("NAMESPACE", "lower-case letters, digits and dashes are expected");
  }
  const given = text("FUNCTION_TARGET");
  const target = given ?? needs?.name;
  if (!target) problems.push(`FUNCTION_TARGET is not set: ${variables.FUNCTION_TARGET}`);
  else if (given && !targetOf(env)) {
    wrong("FUNCTION_TARGET", "lower-case letters, digits and dashes are expected");
  }
  const seconds = [1, 3_600_000] as const;
  const config: Config = {
    target: target ?? "",
    port: integer("PORT", 8080, [0, 65_535]),
    host: text("HOST"),
    callProtocol: choice("CALL_PROTOCOL", "declared", callProtocols),
    deadlineMs: integer("DEADLINE_MS", 5_000, seconds),
    drainTimeoutMs: integer("DRAIN_TIMEOUT_MS", 10_000, seconds),
    bodyLimitBytes: integer("BODY_LIMIT_BYTES", 1_048_576, [1, 1_073_741_824]),
    maxConcurrentRequests: integer("MAX_CONCURRENT_REQUESTS", 1_000, [1, 1_000_000]),
    logLevel: choice("LOG_LEVEL", "info", levels),
    logLevelHeader: choice("LOG_LEVEL_HEADER", "off", switches) === "on",
    telemetry: telemetry(),
    mongodbUrl: url(
      "MONGODB_URL",
      ["mongodb", "mongodb+srv"],
      needs?.mongodb && `${target} saves to MongoDB`,
    ),
    rabbitmqUrl: url(
      "RABBITMQ_URL",
      ["amqp", "amqps"],
      needs?.rabbitmq && `${target} uses a queue`,
    ),
    corsOrigins: (text("CORS_ORIGINS") ?? "").split(",").flatMap((o) => o.trim() || []),
    faults: choice("FAULTS", "off", switches) === "on",
    metrics: choice("METRICS", "on", switches) === "on",
    wake: readWake(text("WAKE"), integer("WAKE_IDLE_MS", 55_000, [0, 3_600_000]), (expected) =>
      wrong("WAKE", expected),
    ),
    bridgePrefetch: integer("BRIDGE_PREFETCH", 32, [1, 1_000]),
    bridgeAttempts: integer("BRIDGE_ATTEMPTS", 10, [1, 1_000]),
    namespace,
    ui: {
      gatewayOrigin: web("GATEWAY_ORIGIN"),
      prometheusUrl: web("PROMETHEUS_URL"),
      jaegerUrl: web("JAEGER_URL"),
      kialiUrl: web("KIALI_URL"),
      liveUrl: web("LIVE_URL"),
      liveControl: choice("LIVE_CONTROL", "off", switches) === "on",
    },
    addressOf: address,
  };
  const called = [...functionsIn(config.wake?.graph ?? {}), ...(needs?.calls ?? [])];
  for (const name of new Set(called)) address(name);

  if (problems.length > 0) {
    throw new HostError("ERR_CONFIG", `wrong configuration:\n- ${problems.join("\n- ")}`);
  }
  return config;
}
