import type { MethodDefinition } from "@grpc/grpc-js";

export type CallProtocol = "http" | "grpc";

/** A declared edge of the graph: the function that is called, and the protocol. */
export interface Callee<Name extends string = string> {
  readonly name: Name;
  readonly protocol: CallProtocol;
}

export interface GrpcCallee<Name extends string = string, Service = unknown> extends Callee<Name> {
  readonly protocol: "grpc";
  /** The callee's own service; left out for one that only greets. */
  readonly service: Service;
}

/** A service as ts-proto generates it for grpc-js: its methods by name. */
// biome-ignore lint/suspicious/noExplicitAny: each method has message types of its own
export type GrpcService = Readonly<Record<string, MethodDefinition<any, any>>>;

/** Calls `name` over HTTP/JSON. */
export function http<const Name extends string>(name: Name): Callee<Name> {
  return { name, protocol: "http" };
}

/** Calls `name` over gRPC: its greetings, and the methods of `service` where that is given. */
export function grpc<
  const Name extends string,
  Service extends GrpcService | undefined = undefined,
>(name: Name, service?: Service): GrpcCallee<Name, Service> {
  return { name, protocol: "grpc", service: service as Service };
}
