/** The receiver that a person's own OTEL_ variables name: OpenTelemetry's "OTLP Exporter Configuration". */
import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { pairsOf } from "#host/base/telemetry-config";
import type { OtlpBody } from "../otlp.ts";
import { variable } from "../services/service.ts";

export interface SpanReceiver {
  readonly url: URL;
  /** Settles with the receiver's 2xx; rejects with why it does not take the spans. */
  send(body: OtlpBody): Promise<void>;
}

const timeoutMs = 5_000;

/** Undefined where no receiver is named. Throws for a certificate or a key that cannot be read. */
export function spanReceiver(env: NodeJS.ProcessEnv): SpanReceiver | undefined {
  const url = urlOf(env);
  if (!url) return undefined;
  const headers = {
    ...pairsOf(variable(env, "OTEL_EXPORTER_OTLP_HEADERS")),
    ...pairsOf(variable(env, "OTEL_EXPORTER_OTLP_TRACES_HEADERS")),
  };
  const agent =
    url.protocol === "https:"
      ? new Agent({
          keepAlive: true,
          ca: fileOf(env, "CERTIFICATE"),
          cert: fileOf(env, "CLIENT_CERTIFICATE"),
          key: fileOf(env, "CLIENT_KEY"),
        })
      : undefined;
  const open = agent ? httpsRequest : httpRequest;

  return {
    url,
    async send({ bytes, contentType, contentEncoding }) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const outgoing = open(url, {
        method: "POST",
        ...(agent && { agent }),
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          ...headers,
          "content-type": contentType,
          "content-length": bytes.length,
          ...(contentEncoding && { "content-encoding": contentEncoding }),
        },
      });
      outgoing.once("error", reject);
      outgoing.once("response", (response) => {
        const { statusCode = 0 } = response;
        response.resume().once("error", reject);
        response.once("end", () => {
          if (statusCode >= 200 && statusCode < 300) resolve();
          else reject(new Error(`it answers ${statusCode}`));
        });
      });
      outgoing.end(bytes);
      await promise;
    },
  };
}

/** The traces' own endpoint is used as it is; the general one is a base ("Endpoint URLs for OTLP/HTTP"). */
function urlOf(env: NodeJS.ProcessEnv): URL | undefined {
  const own = variable(env, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  const base = variable(env, "OTEL_EXPORTER_OTLP_ENDPOINT");
  if (own) return URL.parse(own) ?? undefined;
  return (base && URL.parse(`${base.replace(/\/+$/, "")}/v1/traces`)) || undefined;
}

/** The traces' own variable wins over the general one. */
function fileOf(env: NodeJS.ProcessEnv, what: string): Buffer | undefined {
  for (const name of [`OTEL_EXPORTER_OTLP_TRACES_${what}`, `OTEL_EXPORTER_OTLP_${what}`]) {
    const file = variable(env, name);
    if (file === undefined) continue;
    try {
      return readFileSync(file);
    } catch (cause) {
      throw new Error(`${name}=${file}: ${(cause as Error).message}`, { cause });
    }
  }
  return undefined;
}
