/** Attributes that several seams have in common, by OpenTelemetry's semantic conventions. */
import type { Attributes } from "@opentelemetry/api";

/** Who is called, and where: `address` is "host:port". */
export function peerOf(callee: string, address: string): Attributes {
  return { "server.service.name": callee, ...serverOf(address) };
}

/** Where a server is: "host:port". */
export function serverOf(address: string): Attributes {
  const colon = address.lastIndexOf(":");
  const port = Number(address.slice(colon + 1));
  return {
    "server.address": address.slice(0, colon).replace(/^\[|\]$/g, ""),
    ...(port && { "server.port": port }),
  };
}

/** Of a connection string; of several hosts, the first. */
export function serverOfUrl(url: string | undefined, defaultPort: number): Attributes {
  const [, host] = /^[\w+]+:\/\/(?:[^@/]*@)?([^/?,]+)/.exec(url ?? "") ?? [];
  if (!host) return {};
  return serverOf(/:\d+$/.test(host) ? host : `${host}:${defaultPort}`);
}

/** `method` is the full name: "greeting.GreetingService/Greeting". */
export function grpcCall(method: string): Attributes {
  return { "rpc.system.name": "grpc", "rpc.method": method };
}

export function grpcStatus(code: number): Attributes {
  return { "rpc.status_code": statusNames[code] ?? String(code) };
}

/** By their numbers (https://grpc.io/docs/guides/status-codes/). Not grpc-js' own: a function may run without it. */
export const statusNames = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** A RabbitMQ queue, by way of the default exchange, whose routing key is the queue's name. */
export function queueAttributes(
  queue: string,
  operation: { name: string; type: string },
): Attributes {
  return {
    "messaging.system.name": "rabbitmq",
    "messaging.destination.name": queue,
    "messaging.operation.name": operation.name,
    "messaging.operation.type": operation.type,
  };
}

/** The attributes of a CloudEvent that a request brings. */
export function eventAttributes(event: Readonly<Record<string, unknown>>): Attributes {
  return {
    "cloudevents.event_id": String(event.id ?? ""),
    "cloudevents.event_type": String(event.type ?? ""),
    "cloudevents.event_source": String(event.source ?? ""),
  };
}
