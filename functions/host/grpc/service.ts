/** Methods of a gRPC service, each on the one road of every request. */
import {
  Metadata,
  type MethodDefinition,
  type Server,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { HostError } from "../base/errors.ts";
import { headersFromMetadata } from "../base/headers.ts";
import { type Call, clientLeft } from "../call/call.ts";
import type { GrpcService } from "../call/callee.ts";
import { keyHeader, readKey } from "../call/key.ts";
import type { Served, Serving } from "../call/serving.ts";
import { grpcCall, grpcStatus } from "../telemetry/semantics.ts";
import { errorCodeTrailer } from "./client.ts";

/** A service with what answers it. */
export interface OpenService {
  readonly definition: GrpcService;
  /**
   * By method: gets the message, or an AsyncIterable of messages where the request streams, and returns the
   * answer, or an AsyncIterable of answers where the response streams.
   */
  readonly methods: Readonly<Record<string, (request: unknown, call: Call) => unknown>>;
}

// biome-ignore lint/suspicious/noExplicitAny: each method has message types of its own
type Method = MethodDefinition<any, any>;

/** Adds it to the server; returns its full name, "orders.OrdersService". */
export function addService(server: Server, service: OpenService, serving: Serving): string {
  const { definition, methods } = service;
  const entries = Object.entries(definition).map(([name, method]) => {
    const answer = methods[name];
    if (!answer) throw new HostError("ERR_CONFIG", `nothing answers the method ${method.path}`);
    return [name, method, handlerOf(method, answer, serving)] as const;
  });
  // Answers are bytes already: the access line says how many.
  const asBytes = entries.map(([name, method]) => [
    name,
    { ...method, responseSerialize: (bytes: Buffer) => bytes },
  ]);
  const handlers = entries.map(([name, , handler]) => [name, handler]);
  server.addService(Object.fromEntries(asBytes), Object.fromEntries(handlers));
  const [, name = ""] = Object.values(definition)[0]?.path.split("/") ?? [];
  return name;
}

type Answer = (request: unknown, call: Call) => unknown;

/** grpc-js hands over `reply` where there is one answer, and a stream to write to where there are several. */
function handlerOf(method: Method, answer: Answer, serving: Serving): UntypedHandleCall {
  return async (incoming: Started, reply?: sendUnaryData<Buffer>) => {
    const served = begin(method, incoming, serving);
    const request = method.requestStream ? incoming : incoming.request;
    const stream = incoming as unknown as ServerWritableStream<unknown, Buffer>;
    let bytes = 0;
    const encode = (message: unknown): Buffer => {
      const encoded = method.responseSerialize(message);
      bytes += encoded.length;
      return encoded;
    };
    const writeAll = async (call: Call) => {
      for await (const message of answer(request, call) as AsyncIterable<unknown>) {
        if (call.ending.reason) throw call.ending.reason;
        if (!stream.write(encode(message))) await drained(stream, call);
      }
    };
    try {
      if (reply) reply(null, encode(await served.run(async (call) => answer(request, call))));
      else {
        await served.run(writeAll);
        stream.end();
      }
      end(served, method, status.OK, bytes);
    } catch (thrown) {
      const error = failure(served.fail(thrown));
      if (reply) reply(error);
      else stream.emit("error", error);
      end(served, method, error.code, bytes);
    }
  };
}

/** What is common to calls of every shape. */
interface Started {
  /** Where the request is no stream. */
  readonly request?: unknown;
  readonly metadata: Metadata;
  getDeadline(): Date | number;
  once(event: "cancelled", listener: () => void): unknown;
}

function begin(method: Method, incoming: Started, serving: Serving): Served {
  const startedAt = performance.now();
  const { metadata } = incoming;
  const begun = serving.begin(
    headersFromMetadata(metadata),
    timeLeft(incoming.getDeadline()),
    readKey(metadata.get(keyHeader)[0]),
  );
  const name = nameOf(method);
  const attributes = grpcCall(name);
  const served = serving.serve(begun, { protocol: "grpc", name, attributes, startedAt });
  incoming.once("cancelled", () => {
    const { call } = served;
    // A deadline that passes cancels the stream as well; the call's own timer has a better reason.
    if (Date.now() < call.deadline) call.abort(clientLeft);
  });
  return served;
}

function end(served: Served, method: Method, code: number, bytes: number): void {
  served.end({
    summary: `${nameOf(method)} ${status[code]}`,
    route: method.path,
    status: code,
    bytes,
    attributes: grpcStatus(code),
  });
}

function failure(error: HostError) {
  const metadata = new Metadata();
  metadata.set(errorCodeTrailer, error.code);
  return { code: error.grpc, details: error.message, metadata };
}

/** Without the slash that its path begins with, as OpenTelemetry names it. */
function nameOf({ path }: Method): string {
  return path.slice(1);
}

function timeLeft(deadline: Date | number): number | undefined {
  const left = Number(deadline) - Date.now();
  return Number.isFinite(left) ? Math.max(1, left) : undefined;
}

function drained(stream: ServerWritableStream<unknown, Buffer>, { ending }: Call): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.once("drain", resolve);
  return ending.limit(promise);
}
