import type { Attributes } from "@opentelemetry/api";
import { peerOf } from "../telemetry/semantics.ts";

/** A function that is called, as its clients need it for each call. */
export interface Peer {
  /** "host:port". */
  readonly address: string;
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string;
  readonly port: number;
  readonly attributes: Attributes;
}

/** Reads the address of each function once. */
export function createPeers(addressOf: (name: string) => string): (name: string) => Peer {
  const peers = new Map<string, Peer>();
  return (name) => {
    const known = peers.get(name);
    if (known) return known;
    const address = addressOf(name);
    const { hostname, port } = new URL(`http://${address}`);
    const peer = {
      address,
      hostname: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port || 80),
      attributes: peerOf(name, address),
    };
    peers.set(name, peer);
    return peer;
  };
}
