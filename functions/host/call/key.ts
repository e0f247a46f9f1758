/**
 * Idempotency keys (draft-ietf-httpapi-idempotency-key-header): one that is sent again, by a client or by a caller that
 * tries again, has the same effects once. All of a request's effects have keys that follow from its own.
 */
import { hash } from "node:crypto";

export const keyHeader = "idempotency-key";

/** The key that came with a request; undefined for none, and for one that is too long to be one. */
export function readKey(value: unknown): string | undefined {
  return typeof value === "string" && /^[\x21-\x7e]{1,256}$/.test(value) ? value : undefined;
}

/** A part of what the key stands for, as a UUID of version 8 (RFC 9562, 5.8): the same for the same key and name. */
export function deriveKey(key: string, name: string): string {
  const hex = hash("sha256", `${key}\n${name}`, "hex");
  const variant = "89ab"[Number.parseInt(hex.charAt(16), 16) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
