import type { IncomingMessage, ServerResponse } from "node:http";
import { HostError } from "#host/base/errors";
import { type OtlpBody, unpackOtlp } from "./otlp.ts";

export interface OtlpReceiverOptions {
  /** Gets each body as protobuf; what it throws is the sender's fault. */
  take(bytes: Uint8Array): void;
  /** Gets each body that was taken, as it came. */
  onBody?(body: OtlpBody): void;
  limitBytes?: number;
}

/** Answers POST /v1/traces of OTLP/HTTP: an exporter's batches of spans. Whether it is that request is its caller's affair. */
export function createOtlpReceiver({
  take,
  onBody,
  limitBytes = 8 * 1_048_576,
}: OtlpReceiverOptions): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    try {
      const body = await bodyOf(request, limitBytes);
      take(await unpackOtlp(body, limitBytes));
      onBody?.(body);
      // An empty answer message means that all were taken; as JSON that is {}.
      const isJson = body.contentType.startsWith("application/json");
      response.writeHead(200, { "content-type": body.contentType }).end(isJson ? "{}" : "");
    } catch (thrown) {
      const { http, message } = refusalOf(thrown);
      response.writeHead(http, { "content-type": "text/plain", connection: "close" }).end(message);
    }
  };
}

function refusalOf(thrown: unknown): HostError {
  if (thrown instanceof HostError) return thrown;
  const detail = `the body is no OTLP: ${(thrown as Error).message}`;
  return new HostError("ERR_BAD_REQUEST", detail, { cause: thrown });
}

async function bodyOf(request: IncomingMessage, limitBytes: number): Promise<OtlpBody> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Not destroyed where it is left: the answer goes the same way.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > limitBytes) throw new HostError("ERR_TOO_LARGE", `more than ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return {
    bytes: Buffer.concat(chunks),
    contentType: request.headers["content-type"] ?? "",
    contentEncoding: request.headers["content-encoding"],
  };
}
