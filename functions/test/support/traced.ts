/** Functions whose spans a test looks at. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { type Callee, type Definition, greeter } from "#host";
import type { Span } from "../../local/otlp.ts";
import type { Receiver } from "./receiver.ts";
import { startTestHost } from "./test-host.ts";

export const leaf = greeter({ name: "leaf", greeting: "hello" });

/** The environment of a host that soon sends its spans to the receiver. */
export function tracedTo({ endpoint }: Pick<Receiver, "endpoint">): Record<string, string> {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: "20" };
}

/** A root that calls a leaf, both telling the receiver; what the test needs of them. */
export async function startPair(
  receiver: Pick<Receiver, "endpoint">,
  edge: (name: string) => Callee,
  { callee = leaf, env = {} }: { callee?: Definition; env?: Record<string, string> } = {},
) {
  const on = { ...tracedTo(receiver), ...env };
  const below = await startTestHost(callee, { env: on });
  const definition = greeter({ name: "root", greeting: "hi", calls: [edge("leaf")] });
  const callees = { leaf: below.address };
  const root = await startTestHost(definition, { env: on, callees });
  return {
    port: root.port,
    root,
    calleePort: below.port,
    async [Symbol.asyncDispose]() {
      await root[Symbol.asyncDispose]();
      await below[Symbol.asyncDispose]();
    },
  };
}

/** A span of this function and kind. */
export const is = (service: string, kind: Span["kind"]) => (span: Span) =>
  span.service === service && span.kind === kind;

/** A callee that keeps the headers it is asked with. */
export async function startEcho() {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers);
    response.end('{"greeting":[]}');
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    seen,
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
