/** The gRPC face of a function: the greeting service, health and reflection, for sockets handed to it. */
import type { Socket } from "node:net";
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { loadFileDescriptorSetFromObject } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation } from "grpc-health-check";
import {
  type Greeting,
  type GreetingRequest,
  GreetingResponse,
  GreetingServiceService,
} from "#proto";
import descriptors from "../../../proto/gen/greeting.json" with { type: "json" };
import { HostError } from "../base/errors.ts";
import { headersFromMetadata, type PropagatedHeaders } from "../base/headers.ts";
import type { Call, RunningCall } from "../call/call.ts";
import type { Serve } from "../call/serving.ts";
import { greetingMethod, grpcCall, grpcStatus } from "../telemetry/semantics.ts";
import { errorCodeTrailer } from "./client.ts";

export interface GrpcServer {
  /** Takes over a connection whose first bytes, still unread, are the HTTP/2 preface. */
  accept(socket: Socket): void;
  /** For grpc.health.v1, as the whole server ("") and by the service's name. */
  setServing(serving: boolean): void;
  /** Lets calls in flight end, up to the limit, then closes every connection. */
  drain(limitMs: number): void;
  close(): void;
}

export interface GrpcServerOptions {
  /** Absent: the method is answered with UNIMPLEMENTED. */
  greetings: ((call: Call) => Promise<Greeting[]>) | undefined;
  maxMessageBytes: number;
  /** Begins a call; `timeoutMs` is what its client allows, if it says so. */
  begin(headers: PropagatedHeaders, timeoutMs: number | undefined): RunningCall;
  serve: Serve;
  /** Waited for before the function gets the request. */
  admit(call: Call): Promise<void>;
}

const serviceName = "greeting.GreetingService";

/** The service with answers that are bytes already: whoever sends them has to know how many. */
const service = {
  greeting: { ...GreetingServiceService.greeting, responseSerialize: (bytes: Buffer) => bytes },
};

export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const server = new Server({
    "grpc.max_receive_message_length": options.maxMessageBytes,
    // Sockets belong to the listener, and channelz would keep a record of each.
    "grpc.enable_channelz": 0,
  });
  const health = new HealthImplementation({ "": "NOT_SERVING" });
  health.addToServer(server);
  const { greetings } = options;
  if (greetings) {
    health.setStatus(serviceName, "NOT_SERVING");
    server.addService(service, {
      greeting: (request: ServerUnaryCall<GreetingRequest, Buffer>, reply: sendUnaryData<Buffer>) =>
        answer(request, reply, greetings, options),
    });
  }
  // Without grpc.health.v1: protobufjs describes its map field in a way that clients refuse.
  const described = greetings ? loadFileDescriptorSetFromObject(descriptors) : {};
  new ReflectionService(described).addToServer(server);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());

  return {
    accept: (socket) => injector.injectConnection(socket),
    setServing(serving) {
      for (const name of greetings ? ["", serviceName] : [""]) {
        health.setStatus(name, serving ? "SERVING" : "NOT_SERVING");
      }
    },
    drain: (limitMs) => injector.drain(limitMs),
    close() {
      injector.destroy();
      server.forceShutdown();
    },
  };
}

async function answer(
  request: ServerUnaryCall<GreetingRequest, Buffer>,
  reply: sendUnaryData<Buffer>,
  greetings: (call: Call) => Promise<Greeting[]>,
  { begin, serve, admit }: Pick<GrpcServerOptions, "begin" | "serve" | "admit">,
): Promise<void> {
  const startedAt = performance.now();
  const begun = begin(headersFromMetadata(request.metadata), timeLeft(request.getDeadline()));
  const served = serve(begun, {
    protocol: "grpc",
    name: greetingMethod,
    attributes: grpcCall,
    startedAt,
  });
  const { call } = served;
  const end = (code: number, bytes: number) =>
    served.end({
      summary: `${greetingMethod} ${status[code]}`,
      route: `/${greetingMethod}`,
      status: code,
      bytes,
      attributes: grpcStatus(code),
    });
  request.once("cancelled", () => {
    // A deadline that passes cancels the stream as well; the call's own timer has a better reason.
    if (Date.now() < call.deadline) call.abort(new HostError("ERR_CANCELLED", "the client left"));
  });
  try {
    await admit(call);
    const bytes = Buffer.from(
      GreetingResponse.encode({ greeting: await greetings(call) }).finish(),
    );
    reply(null, bytes);
    end(status.OK, bytes.length);
  } catch (thrown) {
    const error = HostError.from(thrown);
    if (error.code === "ERR_INTERNAL") call.log.error({ err: thrown }, "failed unexpectedly");
    else call.log.debug({ err: error }, "answered with an error");
    const metadata = new Metadata();
    metadata.set(errorCodeTrailer, error.code);
    reply({ code: error.grpc, details: error.message, metadata });
    call.operation?.fail(error);
    end(error.grpc, 0);
  }
}

function timeLeft(deadline: Date | number): number | undefined {
  const left = Number(deadline) - Date.now();
  return Number.isFinite(left) ? Math.max(1, left) : undefined;
}
