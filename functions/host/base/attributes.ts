/** Attributes of a CloudEvent as headers: the CloudEvents HTTP binding 1.0.2, 3.1.3. */

/** The prefix of a header that holds an attribute. */
const prefix = "ce-";

/** An attribute's value as the text of its header (3.1.3.2). */
export function encodeAttribute(value: string): string {
  return value.replace(/[^\x21\x23\x24\x26-\x7e]/gu, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join(""),
  );
}

/**
 * The UTF-8 bytes of an attribute's value: its header unquoted, then percent-decoded once. Node hands out
 * each byte of a header as one character.
 */
function attributeBytes(header: string): Buffer {
  const text = header.replace(/^"((?:[^"\\]|\\.)*)"$/s, (_, inner: string) =>
    inner.replace(/\\(.)/gs, "$1"),
  );
  const bytes = text.replace(/%([\da-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1");
}

/** The attributes of an event in binary mode: names, and values as they were sent. */
export function attributeEntries(
  headers: Readonly<Record<string, unknown>>,
): [name: string, bytes: Buffer][] {
  return Object.entries(headers).flatMap(([name, value]): [string, Buffer][] =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), attributeBytes(String(value))]] : [],
  );
}

/** The same as text. */
export function attributesFromHttp(
  headers: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const entries = attributeEntries(headers).map(([name, bytes]) => [name, bytes.toString()]);
  return Object.fromEntries(entries);
}
