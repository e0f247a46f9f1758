/** How long a connection may keep a function waiting. A client that is slower is cut off; none can hold a connection for ever. */
export interface ConnectionLimits {
  /** Until its protocol is known. */
  readonly silenceMs: number;
  /** For the headers of a request over HTTP/1.1. */
  readonly headersMs: number;
  /** For a whole request, whatever its protocol. */
  readonly requestMs: number;
  /** Between two requests. Longer than Envoy's and Knative's pools wait: the other way round would be unsafe. */
  readonly keepAliveMs: number;
  /** Without a call. A client of gRPC is asked to go, and opens another connection for its next call. */
  readonly grpcIdleMs: number;
}

export const connectionLimits: ConnectionLimits = {
  silenceMs: 10_000,
  headersMs: 10_000,
  requestMs: 60_000,
  keepAliveMs: 75_000,
  grpcIdleMs: 300_000,
};
