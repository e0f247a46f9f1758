import type { IncomingMessage, ServerResponse } from "node:http";
import { HostError } from "../base/errors.ts";
import { isJson, parseMediaType } from "../base/media-type.ts";
import type { Body } from "../events/event.ts";

const none = Buffer.alloc(0);

export function hasBody({ headers }: IncomingMessage): boolean {
  return "transfer-encoding" in headers || Number(headers["content-length"] ?? 0) > 0;
}

/** Throws ERR_TOO_LARGE, ERR_CANCELLED when the client leaves, and ERR_BAD_REQUEST for JSON that is none. */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limitBytes: number,
): Promise<Body> {
  const bytes = hasBody(request) ? await readBytes(request, response, limitBytes) : none;
  return parseBody(bytes, request.headers["content-type"]);
}

export function parseBody(bytes: Buffer, contentType: string | undefined): Body {
  if (bytes.length === 0 || !isJson(parseMediaType(contentType).essence)) {
    return { bytes, json: undefined };
  }
  try {
    return { bytes, json: JSON.parse(bytes.toString()) };
  } catch (cause) {
    const detail = `the body is not JSON: ${(cause as Error).message}`;
    throw new HostError("ERR_BAD_REQUEST", detail, { cause });
  }
}

async function readBytes(
  request: IncomingMessage,
  response: ServerResponse,
  limitBytes: number,
): Promise<Buffer> {
  const tooLarge = () =>
    new HostError("ERR_TOO_LARGE", `the body may have ${limitBytes} bytes at most`);
  if (Number(request.headers["content-length"] ?? 0) > limitBytes) throw tooLarge();
  if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();

  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > limitBytes) {
      request.pause();
      reject(tooLarge());
    } else chunks.push(chunk);
  });
  request.once("end", () => resolve(Buffer.concat(chunks)));
  request.once("error", () => reject(new HostError("ERR_CANCELLED", "the client left")));
  return promise;
}
