import { pairsOf } from "#host/base/telemetry-config";
import type { OtlpBody } from "../otlp.ts";
import { variable } from "../services/service.ts";

export interface SpanForwarder {
  /** Never waits, and never throws: what cannot be sent on is dropped. */
  send(body: OtlpBody): void;
  /** Waits a moment for what is still to be sent. */
  close(): Promise<void>;
}

const mostBytes = 16 * 1_048_576;
const timeoutMs = 5_000;
const closeLimitMs = 2_000;

/**
 * Sends spans on to the receiver that the person's own OTEL_ variables name; undefined where they name
 * none. The functions send theirs to the live graph, which hands them on by this, as they came.
 */
export function createSpanForwarder(
  env: NodeJS.ProcessEnv,
  report: (line: string) => void,
): SpanForwarder | undefined {
  const url = receiverOf(env);
  if (!url) return undefined;
  const headers = {
    ...pairsOf(variable(env, "OTEL_EXPORTER_OTLP_HEADERS")),
    ...pairsOf(variable(env, "OTEL_EXPORTER_OTLP_TRACES_HEADERS")),
  };
  const waiting: OtlpBody[] = [];
  let bytes = 0;
  let sending: Promise<void> | undefined;
  let reported = false;

  const post = async ({ bytes: body, contentType, contentEncoding }: OtlpBody) => {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: {
          ...headers,
          "content-type": contentType,
          ...(contentEncoding && { "content-encoding": contentEncoding }),
        },
        body: new Uint8Array(body),
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`it answers ${response.status}`);
      reported = false;
    } catch (error) {
      // Once for each time that it goes away: batches come five times a second.
      if (!reported)
        report(`Spans cannot be sent on to ${url.origin}: ${(error as Error).message}`);
      reported = true;
    }
  };
  const work = async () => {
    for (let body = waiting.shift(); body; body = waiting.shift()) {
      bytes -= body.bytes.length;
      await post(body);
    }
    sending = undefined;
  };

  return {
    send(body) {
      if (bytes + body.bytes.length > mostBytes) return;
      bytes += body.bytes.length;
      waiting.push(body);
      sending ??= work();
    },
    async close() {
      const limit = new Promise<void>((resolve) => setTimeout(resolve, closeLimitMs).unref());
      await Promise.race([sending, limit]);
      waiting.length = 0;
    },
  };
}

/** The traces' own endpoint is used as it is; the general one is a base (OTLP exporter, "Endpoint URLs for OTLP/HTTP"). */
function receiverOf(env: NodeJS.ProcessEnv): URL | undefined {
  const own = variable(env, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  const base = variable(env, "OTEL_EXPORTER_OTLP_ENDPOINT");
  if (own) return URL.parse(own) ?? undefined;
  return (base && URL.parse(`${base.replace(/\/+$/, "")}/v1/traces`)) || undefined;
}
