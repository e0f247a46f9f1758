/** The gRPC face of a function: its services, health and reflection, for sockets handed to it. */
import type { Socket } from "node:net";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import type { Serving } from "../call/serving.ts";
import { addReflection } from "./reflection.ts";
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
}

export function createGrpcServer({
  services,
  maxMessageBytes,
  serving,
}: GrpcServerOptions): GrpcServer {
  const server = new Server({
    "grpc.max_receive_message_length": maxMessageBytes,
    // Sockets belong to the listener, and channelz would keep a record of each.
    "grpc.enable_channelz": 0,
  });
  const health = new HealthImplementation({ "": "NOT_SERVING" });
  health.addToServer(server);
  const names = services.map((service) => addService(server, service, serving));
  addReflection(server, names);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const setServing = (serving: boolean) => {
    for (const name of ["", ...names]) {
      health.setStatus(name, serving ? "SERVING" : "NOT_SERVING");
    }
  };
  setServing(false);

  return {
    accept: (socket) => injector.injectConnection(socket),
    setServing,
    drain: (limitMs) => injector.drain(limitMs),
    close() {
      injector.destroy();
      server.forceShutdown();
    },
  };
}
