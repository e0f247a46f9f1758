/**
 * The gRPC parts of a host, loaded when they are first needed: grpc-js costs a start about as much as all else that a
 * function loads, and most functions neither call nor are called by gRPC.
 */
import type { Socket } from "node:net";
import type { GrpcClient } from "./client.ts";
import type { GrpcServer, GrpcServerOptions } from "./server.ts";

/** Loads it ahead of the first use. */
interface OnDemand {
  load(): Promise<unknown>;
}

/** As `createGrpcClient`, with the same arguments. */
export function grpcClientOnDemand(
  ...options: Parameters<typeof import("./client.ts").createGrpcClient>
): GrpcClient & OnDemand {
  let client: GrpcClient | undefined;
  const load = once(async () => {
    const { createGrpcClient } = await import("./client.ts");
    client = createGrpcClient(...options);
    return client;
  });
  return {
    load,
    invoke: (...args) =>
      client ? client.invoke(...args) : load().then((loaded) => loaded.invoke(...args)),
    greetings: (...args) =>
      client ? client.greetings(...args) : load().then((loaded) => loaded.greetings(...args)),
    close: () => client?.close(),
  };
}

/** As `createGrpcServer`. `load` throws ERR_CONFIG for a service that has a method without an answer. */
export function grpcServerOnDemand(options: GrpcServerOptions): GrpcServer & OnDemand {
  let server: GrpcServer | undefined;
  let isServing = false;
  let drainMs: number | undefined;
  let closed = false;
  const load = once(async () => {
    const { createGrpcServer } = await import("./server.ts");
    server = createGrpcServer(options);
    server.setServing(isServing);
    return server;
  });
  const acceptLater = async (socket: Socket) => {
    // An error that nothing listens to would end the process.
    const onError = () => socket.destroy();
    socket.on("error", onError);
    const loaded = await load();
    socket.off("error", onError);
    if (closed || socket.destroyed) return void socket.destroy();
    loaded.accept(socket);
    // The server came too late to be drained.
    if (drainMs !== undefined) loaded.drain(drainMs);
  };
  return {
    load,
    accept(socket) {
      if (server) server.accept(socket);
      else acceptLater(socket).catch(() => socket.destroy());
    },
    setServing(serving) {
      isServing = serving;
      server?.setServing(serving);
    },
    drain(limitMs) {
      drainMs = limitMs;
      server?.drain(limitMs);
    },
    close() {
      closed = true;
      server?.close();
    },
  };
}

/** The same promise for every caller. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
