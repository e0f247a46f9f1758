/** Content codings of a request's body: RFC 9110, 8.4. */
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, inflateRaw, type ZlibOptions } from "node:zlib";
import { HostError } from "../base/errors.ts";

type Decode = (bytes: Buffer, options: ZlibOptions) => Promise<Buffer>;

const unzip: Decode = promisify(gunzip);
const zlib: Decode = promisify(inflate);
const raw: Decode = promisify(inflateRaw);

const decoders: Readonly<Record<string, Decode>> = {
  gzip: unzip,
  "x-gzip": unzip,
  // Some clients send it without zlib's frame (RFC 9110, 8.4.1.2).
  deflate: (bytes, options) => (isZlib(bytes) ? zlib : raw)(bytes, options),
  br: promisify(brotliDecompress),
};

/** More than one is legal and of no use; each costs as much as the limit allows. */
const mostCodings = 2;

/**
 * The bytes without the codings that a header content-encoding names; the same buffer where it names none. Throws
 * ERR_TOO_LARGE once more than the limit comes out, ERR_MEDIA_TYPE, with the codings that are known as
 * accept-encoding (RFC 9110, 15.5.16), and ERR_BAD_REQUEST for bytes that are not so encoded.
 */
export async function decodeContent(
  sent: Buffer,
  header: string | undefined,
  limitBytes: number,
): Promise<Buffer> {
  const names = (header ?? "").split(",").map((name) => name.trim().toLowerCase());
  const codings = names.filter((name) => name !== "" && name !== "identity");
  if (codings.length > mostCodings || !codings.every((name) => Object.hasOwn(decoders, name))) {
    const headers = { "accept-encoding": "gzip, deflate, br" };
    const detail = `content-encoding: ${header}: gzip, deflate, br or none is expected`;
    throw new HostError("ERR_MEDIA_TYPE", detail, { headers });
  }
  let bytes = sent;
  for (const coding of codings.reverse()) {
    bytes = await decode(bytes, coding, limitBytes);
  }
  return bytes;
}

async function decode(bytes: Buffer, coding: string, limitBytes: number): Promise<Buffer> {
  try {
    return (await decoders[coding]?.(bytes, { maxOutputLength: limitBytes })) ?? bytes;
  } catch (cause) {
    if ((cause as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(limitBytes);
    const reason = (cause as Error).message;
    throw new HostError("ERR_BAD_REQUEST", `the body is not ${coding} (${reason})`, { cause });
  }
}

export function tooLarge(limitBytes: number): HostError {
  return new HostError("ERR_TOO_LARGE", `the body may have ${limitBytes} bytes at most`);
}

/** RFC 1950, 2.2: the method is 8, and the first two bytes are a multiple of 31. */
function isZlib([first = 0, second = 0]: Buffer): boolean {
  return (first & 15) === 8 && (first * 256 + second) % 31 === 0;
}
