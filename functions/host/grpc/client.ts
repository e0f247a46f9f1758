/** The gRPC face of a call, from the caller's side: one channel per address for the process's life. */
import {
  Channel,
  type ChannelInterface,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { type Greeting, GreetingServiceService } from "#proto";
import { codeOfGrpc, HostError, isErrorCode } from "../base/errors.ts";
import { headersToMetadata, type PropagatedHeaders } from "../base/headers.ts";
import { type Call, timeForCallee } from "../call/call.ts";
import { createGuard, type Guard, noRetry, retryAfterLoss } from "../call/guard.ts";
import { deriveKey, keyHeader } from "../call/key.ts";
import { createPeers } from "../call/peer.ts";
import type { Runtime } from "../call/runtime.ts";
import { grpcCall, grpcStatus } from "../telemetry/semantics.ts";
import { createTracing, type Tracing } from "../telemetry/tracing.ts";
import { callUnary } from "./unary.ts";

export interface GrpcClient {
  /** Calls a unary method; an error that the callee answers is thrown with its code and path of hops. */
  readonly invoke: Runtime["invoke"];
  /** The callee's greetings. */
  greetings(callee: string, call: Call): Promise<Greeting[]>;
  close(): void;
}

/** Trailer with our stable code, beside gRPC's own status, which several codes share. */
export const errorCodeTrailer = "error-code";

export function createGrpcClient(
  addressOf: (name: string) => string,
  tracing: Tracing = createTracing(),
  guard: Guard = createGuard(),
): GrpcClient {
  const channels = new Map<string, ChannelInterface>();
  const peerOf = createPeers(addressOf);

  const dial = (address: string): ChannelInterface => {
    const channel = new Channel(address, credentials.createInsecure(), {
      // Keepalive stays off: a ping after GOAWAY ends calls that drain (grpc-node issue 3068).
      "grpc.use_local_subchannel_pool": 1,
      // It would keep a record of each call.
      "grpc.enable_channelz": 0,
      // While a channel waits before it connects again, all its calls fail: a callee that has come back is to be
      // reached soon. A new channel in place of it would leak the connection that the old one still makes.
      "grpc.initial_reconnect_backoff_ms": 50,
      "grpc.max_reconnect_backoff_ms": 250,
      // By itself grpc-js goes through the environment's http_proxy, where no function can be reached.
      "grpc.enable_http_proxy": 0,
    });
    channels.set(address, channel);
    return channel;
  };

  const discard = (address: string, channel: ChannelInterface) => {
    if (channels.get(address) === channel) channels.delete(address);
    channel.close();
  };

  const ask = async <Request, Response>(
    address: string,
    method: MethodDefinition<Request, Response>,
    request: Request,
    call: Call,
    headers: PropagatedHeaders,
    key: string | undefined,
  ): Promise<Response> => {
    const deadline = Date.now() + timeForCallee(call);
    const metadata = new Metadata();
    headersToMetadata(headers, metadata);
    if (key !== undefined) metadata.set(keyHeader, key);
    const channel = channels.get(address) ?? dial(address);
    const running = callUnary(channel, method, request, { metadata, deadline });
    const off = call.ending.onAbort(running.cancel);
    try {
      return await running.response;
    } catch (thrown) {
      if (isSilent(thrown)) discard(address, channel);
      throw thrown;
    } finally {
      off();
    }
  };

  const invoke: GrpcClient["invoke"] = (callee, method, request, call, key) => {
    const peer = peerOf(callee);
    const name = method.path.slice(1);
    const attributes = { ...grpcCall(name), ...peer.attributes };
    const operation = { kind: "client", name, attributes } as const;
    return tracing.run(operation, call, async (running) => {
      const reused = channels.has(peer.address);
      try {
        const response = await guard.run({
          ...{ callee, call, running },
          once: () => ask(peer.address, method, request, call, running.headers, key),
          retryOf(thrown, tries) {
            if (!isLost(thrown)) return noRetry;
            const isKeyed = key !== undefined;
            return retryAfterLoss({ isUnsent: isUnsent(thrown), wasIdle: reused, isKeyed }, tries);
          },
          isAnswer: (thrown) => trailer(thrown as ServiceError) !== undefined,
        });
        running.set(grpcStatus(status.OK));
        return response;
      } catch (thrown) {
        if (thrown instanceof HostError) throw thrown;
        const error = thrown as ServiceError;
        running.set(grpcStatus(error.code));
        throw failure(callee, peer.address, error, call);
      }
    });
  };

  const greet = (callee: string, call: Call) =>
    invoke(callee, GreetingServiceService.greeting, {}, call, deriveKey(call.key, callee));

  return {
    invoke,
    async greetings(callee, call) {
      return (await greet(callee, call)).greeting;
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
  if (call.ending.reason) return call.ending.reason.at(callee);
  const code = codeOfGrpc(error.code);
  if (code === "ERR_DEADLINE") {
    return new HostError(code, `${callee}: no answer within the deadline`);
  }
  // grpc-js wraps what the connection said: "No connection established. Last error: Error: … Resolution note: ".
  const wrapped = /Last error: (?:Error: )?(.+?)\. Resolution note/.exec(error.details);
  const details = (wrapped?.[1] ?? error.details).trim();
  const detail = code === "ERR_CALLEE" ? `unreachable at ${address} (${details})` : details;
  return new HostError(code, `${callee}: ${detail}`, { cause: error });
}

/** There was not even a connection (grpc-js, internal-channel.ts): nothing can have been processed. */
function isUnsent(thrown: unknown): boolean {
  return /^(No connection established|Name resolution failed)/.test(
    (thrown as ServiceError).details,
  );
}

/** There was no answer: a callee that is there and fails answers with a code of ours. */
function isLost(thrown: unknown): boolean {
  const error = thrown as ServiceError;
  return error.code === status.UNAVAILABLE && !trailer(error);
}

/**
 * Not even the callee's own deadline was heard of, which is before ours: the connection may be one whose far end is gone
 * without a word. Calls that are under way on it go on.
 */
function isSilent(thrown: unknown): boolean {
  const error = thrown as ServiceError;
  return error.code === status.DEADLINE_EXCEEDED && !trailer(error);
}

function trailer(error: ServiceError) {
  const value = error.metadata?.get(errorCodeTrailer)[0];
  return isErrorCode(value) ? value : undefined;
}
