/**
 * Idempotency keys (draft-ietf-httpapi-idempotency-key-header): one that is sent again, by a client or by a caller that
 * tries again, has the same effects once. All of a request's effects have keys that follow from its own.
 */
import { createHash } from "node:crypto";

export const keyHeader = "idempotency-key";

/** The key that came with a request; undefined for none, and for one that is too long to be one. */
export function readKey(value: unknown): string | undefined {
  return typeof value === "string" && /^[\x21-\x7e]{1,256}$/.test(value) ? value : undefined;
}

/** A part of what the key stands for, as a UUID of version 8 (RFC 9562, 5.8): the same for the same key and name. */
export function deriveKey(key: string, name: string): string {
  const bytes = createHash("sha256").update(`${key}\n${name}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
