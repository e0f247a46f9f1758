/** Frames of HTTP/2 as bytes (RFC 9113, 4.1), right or wrong. */
export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const;

/** `length` is what it says of itself, where that is not the payload's own. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
  length = payload.length,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length & 0xff_ff_ff, 0, 3);
  head.writeUInt8(type & 0xff, 3);
  head.writeUInt8(flags & 0xff, 4);
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, payload]);
}

/** The headers of a call of gRPC: HPACK's literals without an index, without Huffman's code (RFC 7541, 6.2.2). */
export function headersOf(path: string, more: readonly (readonly [string, string])[] = []): Buffer {
  return block([
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "a"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
    ...more,
  ]);
}

export function block(headers: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  return Buffer.concat([integer(bytes.length), bytes]);
}

/** With a prefix of 7 bits (RFC 7541, 5.1). */
function integer(value: number): Buffer {
  if (value < 127) return Buffer.of(value);
  const bytes = [127];
  for (let rest = value - 127; ; rest >>>= 7) {
    if (rest < 128) return Buffer.of(...bytes, rest);
    bytes.push((rest & 127) | 128);
  }
}

/** A message of gRPC, with its flag and its length, where that is not its own. */
export function message(content: Buffer, flag = 0, length = content.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag & 0xff, 0);
  head.writeUInt32BE(length >>> 0, 1);
  return Buffer.concat([head, content]);
}
