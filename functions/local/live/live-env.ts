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
    // The page is to show a request within a second of it.
    OTEL_BSP_SCHEDULE_DELAY: variable(env, "OTEL_BSP_SCHEDULE_DELAY") ?? "200",
  };
}

/** As a browser on this machine may spell it. */
function originsOf(port: number | undefined): string[] {
  return ["localhost", "127.0.0.1"].map((host) => `http://${host}:${port}`);
}
