import { protocolNotice } from "#host/base/telemetry-config";
import { variable } from "../services/service.ts";

export interface LiveEnvOptions {
  env: NodeJS.ProcessEnv;
  /** The live server's. */
  origin: string;
  addresses: ReadonlyMap<string, number>;
  control: boolean;
}

/** What a process gets that runs these functions, so that they are seen on the page, and the page can ask them. */
export function liveEnv(names: readonly string[], options: LiveEnvOptions): NodeJS.ProcessEnv {
  const { env, origin, addresses, control } = options;
  const page = originsOf(addresses.get("ui"));
  const [gateway] = originsOf(addresses.get("gateway"));
  return {
    ...exporterEnv(env, origin),
    // The page's own questions are not what it is to show.
    ...(names.every((name) => name === "ui") && { OTEL_EXPORTER_OTLP_ENDPOINT: undefined }),
    FAULTS: variable(env, "FAULTS") ?? "on",
    ...(names.includes("gateway") && {
      CORS_ORIGINS: [variable(env, "CORS_ORIGINS"), ...page].filter(Boolean).join(),
    }),
    ...(names.includes("ui") && {
      LIVE_URL: origin,
      LIVE_CONTROL: control ? "on" : "off",
      GATEWAY_ORIGIN: gateway,
    }),
  };
}

/** Spans go to the live server alone, which hands them on to where these variables said. */
function exporterEnv(env: NodeJS.ProcessEnv, origin: string): NodeJS.ProcessEnv {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: origin,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: undefined,
    OTEL_EXPORTER_OTLP_HEADERS: undefined,
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: undefined,
    OTEL_EXPORTER_OTLP_PROTOCOL: undefined,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: undefined,
    // The page is to show a request within a second of it.
    OTEL_BSP_SCHEDULE_DELAY: variable(env, "OTEL_BSP_SCHEDULE_DELAY") ?? "500",
  };
}

/** As a browser on this machine may spell it. */
function originsOf(port: number | undefined): string[] {
  return ["localhost", "127.0.0.1"].map((host) => `http://${host}:${port}`);
}

/** What the person's own variables mean for the page and for the receiver that they name, a line each. */
export function telemetryNotices(env: NodeJS.ProcessEnv): string[] {
  const sends =
    variable(env, "OTEL_EXPORTER_OTLP_ENDPOINT") ??
    variable(env, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  const protocol = sends && protocolNotice(env);
  const off = offSwitches.find(([name, value]) => value.test(variable(env, name) ?? ""))?.[0];
  return [
    ...(protocol ? [protocol] : []),
    ...(off ? [`${off}=${env[off]}: no spans are made, so the page shows no calls.`] : []),
  ];
}

const offSwitches = [
  ["OTEL_SDK_DISABLED", /^true$/i],
  ["OTEL_TRACES_EXPORTER", /^none$/i],
  ["OTEL_TRACES_SAMPLER", /^(parentbased_)?always_off$/],
] as const;
