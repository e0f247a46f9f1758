/** A receiver of spans by OTLP over HTTP, which keeps them, and which a test can make slow or broken. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeSpans, type Span } from "../../local/otlp.ts";
import { createOtlpReceiver } from "../../local/otlp-receiver.ts";
import { until } from "./until.ts";

export interface Receiver extends AsyncDisposable {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  /** In the order of their coming. */
  readonly spans: readonly Span[];
  /** The bodies of all batches, as they came. */
  readonly bodies: readonly Buffer[];
  /** Batches that were refused or left without an answer. */
  readonly refused: number;
  /** Waits for a span that is so, and gives it. */
  span(what: string, test: (span: Span) => boolean): Promise<Span>;
  /** From now on: take spans, answer 500 to them, or never answer. */
  behave(how: "well" | "broken" | "silent"): void;
}

export async function startReceiver(): Promise<Receiver> {
  const spans: Span[] = [];
  const bodies: Buffer[] = [];
  let refused = 0;
  let behaviour: "well" | "broken" | "silent" = "well";
  const receive = createOtlpReceiver({
    take: (bytes) => void spans.push(...decodeSpans(bytes)),
    onBody: ({ bytes }) => void bodies.push(bytes),
  });
  const server = createServer((request, response) => {
    if (behaviour === "well") return void receive(request, response);
    refused++;
    if (behaviour === "broken") request.resume().once("end", () => response.writeHead(500).end());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    bodies,
    get refused() {
      return refused;
    },
    async span(what, test) {
      await until(what, () => spans.some(test));
      return spans.find(test) as Span;
    },
    behave(how) {
      behaviour = how;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
