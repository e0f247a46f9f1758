/** What one request may store: the id of every greeting follows from the request's idempotency key. */
import { deriveKey } from "#host/call/key";
import graph from "../gateway/graph.json" with { type: "json" };

/** The id of the greeting that each function makes for the request, by the function's name. */
export function idsOf(key: string): ReadonlyMap<string, string> {
  const ids = new Map<string, string>();
  const visit = (caller: string, own: string) => {
    const callees = graph.edges.filter(({ from, protocol }) => from === caller && isCall(protocol));
    for (const { to } of callees) {
      const theirs = deriveKey(own, to);
      ids.set(to, deriveKey(theirs, "greeting"));
      visit(to, theirs);
    }
  };
  visit("gateway", key);
  return ids;
}

function isCall(protocol: string): boolean {
  return protocol === "http" || protocol === "grpc";
}
