import type { Attributes } from "@opentelemetry/api";
import { peerOf } from "../telemetry/semantics.ts";

/** A function that is called, as its clients need it for each call. */
export interface Peer {
  readonly name: string;
  /** "host:port". */
  readonly address: string;
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string;
  readonly port: number;
  readonly attributes: Attributes;
}

/** Reads an address once for each function, and again only where it has become another. */
export function createPeers(addressOf: (name: string) => string): (name: string) => Peer {
  const peers = new Map<string, Peer>();
  return (name) => {
    const address = addressOf(name);
    const known = peers.get(name);
    if (known?.address === address) return known;
    const { hostname, port } = new URL(`http://${address}`);
    const peer = {
      name,
      address,
      hostname: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port || 80),
      attributes: peerOf(name, address),
    };
    peers.set(name, peer);
    return peer;
  };
}
