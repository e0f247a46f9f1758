/** The gRPC face of a function: its services, health and reflection, for sockets handed to it. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { Serving } from "../call/serving.ts";
import type { ConnectionLimits } from "../serve/limits.ts";
import { inTime } from "./in-time.ts";
import { addService, type OpenService } from "./service.ts";

export interface GrpcServer {
  /** Takes over a connection whose first bytes, still unread, are the HTTP/2 preface. */
  accept(socket: Socket): void;
  /** For grpc.health.v1, as the whole server ("") and by each service's name. */
  setServing(serving: boolean): void;
  /** Lets calls in flight end, up to the limit, then closes every connection. */
  drain(limitMs: number): void;
  close(): void;
}

export interface GrpcServerOptions {
  /** Methods of no service here are answered with UNIMPLEMENTED. */
  services: readonly OpenService[];
  maxMessageBytes: number;
  serving: Serving;
  limits: ConnectionLimits;
}

/** Calls of one connection at a time; clients queue others. It bounds what a client can make the server hold. */
const maxStreams = 1_000;

/** MiB that Node holds of a connection's frames; grpc-js has no limit of its own. */
const maxSessionMemory = 64;

export function createGrpcServer({
  services,
  maxMessageBytes,
  serving,
  limits,
}: GrpcServerOptions): GrpcServer {
  const server = new Server({
    "grpc.max_receive_message_length": maxMessageBytes,
    // Sockets belong to the listener, and channelz would keep a record of each.
    "grpc.enable_channelz": 0,
    "grpc.max_concurrent_streams": maxStreams,
    "grpc-node.max_session_memory": maxSessionMemory,
    "grpc.max_connection_idle_ms": limits.grpcIdleMs,
    interceptors: [inTime(limits.requestMs)],
  });
  const names = services.map((service) => addService(server, service, serving));
  let isServing = false;
  let setHealth: ((isServing: boolean) => void) | undefined;
  onStream(server, [
    leaveResetCall,
    // Both load protobufjs, and hardly any function is ever asked for them.
    before("/grpc.health.v1.", async () => {
      const { addHealth } = await import("./health.ts");
      setHealth = addHealth(server, names);
      setHealth(isServing);
    }),
    before("/grpc.reflection.", async () => {
      const { addReflection } = await import("./reflection.ts");
      addReflection(server, names);
    }),
  ]);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());

  return {
    accept: (socket) => injector.injectConnection(socket),
    setServing(serving) {
      isServing = serving;
      setHealth?.(serving);
    },
    drain: (limitMs) => injector.drain(limitMs),
    close() {
      injector.destroy();
      server.forceShutdown();
    },
  };
}

/** Looks at a call before grpc-js does. Returns true where it takes the call, and what hands it on later. */
type Look = (stream: ServerHttp2Stream, path: string, handOn: () => void) => boolean;

/** Lets each look at every call, in turn, until one takes it. Before the server gets a connection. */
function onStream(server: Server, looks: readonly Look[]): void {
  // Private in grpc-js' types; there is no other way to a stream before its answer.
  const own = server as unknown as Record<"_streamHandler", (...args: StreamArguments) => void>;
  const handle = own._streamHandler;
  own._streamHandler = function (...args) {
    const [, stream, headers] = args;
    const handOn = () => own._streamHandler.apply(this, args);
    const path = headers[":path"] ?? "";
    if (!looks.some((look) => look(stream, path, handOn))) handle.apply(this, args);
  };
}

type StreamArguments = [
  interceptors: unknown,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
];

/**
 * grpc-js answers a call that it refuses (by its content type, or as there is no such method) also where the client has
 * reset it already. Node throws then, and any client could end the process.
 */
const leaveResetCall: Look = (stream) => {
  if (!stream.destroyed && !stream.closed) return false;
  // How it was reset may still be reported as an error, and without a listener that would end the process, too.
  stream.on("error", () => {});
  return true;
};

/** Adds a service with the first call to it. */
function before(prefix: string, add: () => Promise<void>): Look {
  let added = false;
  let adding: Promise<void> | undefined;
  return (stream, path, handOn) => {
    if (added || !path.startsWith(prefix)) return false;
    stream.on("error", () => {});
    adding ??= add().finally(() => {
      added = true;
    });
    // Without the service, the call is answered like one of any that there is not.
    adding.then(handOn, handOn);
    return true;
  };
}
