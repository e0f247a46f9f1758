import type { Attributes } from "@opentelemetry/api";
import { sharesOf } from "../base/addresses.ts";
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

/** Reads the address of each function once. One with several addresses gets its calls by their shares. */
export function createPeers(addressOf: (name: string) => string): (name: string) => Peer {
  const peers = new Map<string, Peer>();
  const splits = new Map<string, () => Peer>();
  return (name) => {
    const known = peers.get(name);
    if (known) return known;
    const split = splits.get(name);
    if (split) return split();
    const address = addressOf(name);
    const shares = sharesOf(address);
    if (shares && shares.length > 1) {
      const choose = splitter(
        shares.map((share) => ({ ...share, peer: peerAt(name, share.address) })),
      );
      splits.set(name, choose);
      return choose();
    }
    const peer = peerAt(name, address);
    peers.set(name, peer);
    return peer;
  };
}

function peerAt(name: string, address: string): Peer {
  const { hostname, port } = new URL(`http://${address}`);
  return {
    address,
    hostname: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port || 80),
    attributes: peerOf(name, address),
  };
}

/** Not by chance: of each hundred calls, so many are each one's, and those of the smaller share are spread. */
function splitter(shares: readonly { percent: number; peer: Peer }[]): () => Peer {
  const due = shares.map(() => 0);
  return () => {
    for (const [i, { percent }] of shares.entries()) due[i] = (due[i] ?? 0) + percent;
    const most = due.indexOf(Math.max(...due));
    due[most] = (due[most] ?? 0) - 100;
    return (shares[most] as { peer: Peer }).peer;
  };
}
