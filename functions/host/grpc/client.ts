/** The gRPC face of a call, from the caller's side: one channel per callee for the process's life. */
import { credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { type Greeting, GreetingServiceClient } from "#proto";
import { codeOfGrpc, HostError, isErrorCode } from "../base/errors.ts";
import { headersToMetadata, type PropagatedHeaders } from "../base/headers.ts";
import { type Call, timeForCallee } from "../call/call.ts";
import { greetingMethod, grpcCall, grpcStatus, peerOf } from "../telemetry/semantics.ts";
import { createTracing, type Tracing } from "../telemetry/tracing.ts";

export interface GrpcClient {
  /** The callee's greetings; an error that it answers is thrown with its code and path of hops. */
  greetings(callee: string, call: Call): Promise<Greeting[]>;
  close(): void;
}

/** Trailer with our stable code, beside gRPC's own status, which several codes share. */
export const errorCodeTrailer = "error-code";

export function createGrpcClient(
  addressOf: (name: string) => string,
  tracing: Tracing = createTracing(),
): GrpcClient {
  const channels = new Map<string, GreetingServiceClient>();

  const channelTo = (callee: string): GreetingServiceClient => {
    const known = channels.get(callee);
    if (known) return known;
    const channel = new GreetingServiceClient(addressOf(callee), credentials.createInsecure(), {
      // Keepalive stays off: a ping after GOAWAY ends calls that drain (grpc-node issue 3068).
      "grpc.use_local_subchannel_pool": 1,
    });
    channels.set(callee, channel);
    return channel;
  };

  // grpc-js fails every call while a channel backs off from a failed connection. A new channel dials
  // at once, so a callee that has come back is reached by the next request, not after the backoff.
  const discard = (callee: string, channel: GreetingServiceClient) => {
    if (channels.get(callee) === channel) channels.delete(callee);
    channel.close();
  };

  const ask = async (
    callee: string,
    call: Call,
    headers: PropagatedHeaders,
  ): Promise<Greeting[]> => {
    const deadline = Date.now() + timeForCallee(call);
    const metadata = new Metadata();
    headersToMetadata(headers, metadata);
    const channel = channelTo(callee);
    const { promise, resolve, reject } = Promise.withResolvers<Greeting[]>();
    const running = channel.greeting({}, metadata, { deadline }, (error, response) =>
      error ? reject(error) : resolve(response.greeting),
    );
    const onAbort = () => running.cancel();
    call.signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await promise;
    } catch (thrown) {
      if (isLost(thrown)) discard(callee, channel);
      throw thrown;
    } finally {
      call.signal.removeEventListener("abort", onAbort);
    }
  };

  return {
    greetings(callee, call) {
      const address = addressOf(callee);
      const attributes = { ...grpcCall, ...peerOf(callee, address) };
      const operation = { kind: "client", name: greetingMethod, attributes } as const;
      return tracing.run(operation, call, async (running) => {
        const reused = channels.has(callee);
        try {
          const greetings = await ask(callee, call, running.headers).catch((thrown) => {
            // The callee may have gone, and come back, while the connection was idle. One more try, on
            // a new one; the HTTP client does the same.
            if (!reused || !isLost(thrown) || call.signal.aborted) throw thrown;
            running.event("retry", { reason: (thrown as ServiceError).details });
            return ask(callee, call, running.headers);
          });
          running.set(grpcStatus(status.OK));
          return greetings;
        } catch (thrown) {
          if (thrown instanceof HostError) throw thrown;
          const error = thrown as ServiceError;
          running.set(grpcStatus(error.code));
          throw failure(callee, address, error, call);
        }
      });
    },
    close() {
      for (const channel of channels.values()) channel.close();
      channels.clear();
    },
  };
}

function failure(callee: string, address: string, error: ServiceError, call: Call): HostError {
  const ours = trailer(error);
  if (ours) return new HostError(ours, error.details);
  if (call.signal.aborted) return HostError.from(call.signal.reason).at(callee);
  const code = codeOfGrpc(error.code);
  // grpc-js wraps what the connection said: "No connection established. Last error: Error: … Resolution note: ".
  const [, inner = error.details] =
    /Last error: (?:Error: )?(.+?)\. Resolution note/.exec(error.details) ?? [];
  const details = inner.trim();
  if (code === "ERR_DEADLINE")
    return new HostError(code, `${callee}: no answer within the deadline`);
  const detail = code === "ERR_CALLEE" ? `unreachable at ${address} (${details})` : details;
  return new HostError(code, `${callee}: ${detail}`, { cause: error });
}

/** Nobody answered: a callee that is there and fails says so with a code of ours. */
function isLost(thrown: unknown): boolean {
  const error = thrown as ServiceError;
  return error.code === status.UNAVAILABLE && !trailer(error);
}

function trailer(error: ServiceError) {
  const value = error.metadata?.get(errorCodeTrailer)[0];
  return isErrorCode(value) ? value : undefined;
}
