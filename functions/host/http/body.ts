import type { IncomingMessage, ServerResponse } from "node:http";
import { HostError } from "../base/errors.ts";
import { decodeText, isJson, parseMediaType } from "../base/media-type.ts";
import { clientLeft } from "../call/call.ts";
import type { Body } from "../events/event.ts";
import { decodeContent, tooLarge } from "./content-encoding.ts";

const none = Buffer.alloc(0);

export function hasBody({ headers }: IncomingMessage): boolean {
  return "transfer-encoding" in headers || Number(headers["content-length"] ?? 0) > 0;
}

/**
 * The body without its content encoding, which the request's headers then do not name any more. Throws
 * ERR_TOO_LARGE, also for what it is decoded, ERR_CANCELLED when the client leaves, ERR_MEDIA_TYPE for an
 * encoding that is not known, and ERR_BAD_REQUEST for JSON that is none.
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limitBytes: number,
): Promise<Body> {
  const { headers } = request;
  if (!hasBody(request)) return parseBody(none, headers["content-type"]);
  const sent = await readBytes(request, response, limitBytes);
  const bytes = await decodeContent(sent, headers["content-encoding"], limitBytes);
  if (bytes !== sent) {
    delete headers["content-encoding"];
    delete headers["transfer-encoding"];
    headers["content-length"] = String(bytes.length);
  }
  return parseBody(bytes, headers["content-type"]);
}

export function parseBody(bytes: Buffer, contentType: string | undefined): Body {
  const { essence, parameters } = parseMediaType(contentType);
  if (bytes.length === 0 || !isJson(essence)) return { bytes, json: undefined };
  try {
    return { bytes, json: JSON.parse(decodeText(bytes, parameters.charset)) };
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
  if (Number(request.headers["content-length"] ?? 0) > limitBytes) throw tooLarge(limitBytes);
  if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();

  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > limitBytes) {
      request.pause();
      reject(tooLarge(limitBytes));
    } else chunks.push(chunk);
  });
  request.once("end", () => resolve(Buffer.concat(chunks)));
  request.once("error", () => reject(clientLeft));
  return promise;
}
