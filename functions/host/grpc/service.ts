/** Methods of a gRPC service, each on the one road of every request. */
import {
  Metadata,
  type MethodDefinition,
  type Server,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { HostError } from "../base/errors.ts";
import { headersFromMetadata } from "../base/headers.ts";
import type { Call } from "../call/call.ts";
import type { GrpcService } from "../call/callee.ts";
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

function handlerOf(method: Method, answer: Answer, serving: Serving): UntypedHandleCall {
  if (method.responseStream) {
    return async (stream: ServerWritableStream<unknown, Buffer>) => {
      const served = begin(method, stream, serving);
      const request = method.requestStream ? stream : stream.request;
      let bytes = 0;
      try {
        await served.run(async (call) => {
          for await (const message of answer(request, call) as AsyncIterable<unknown>) {
            call.signal.throwIfAborted();
            const encoded = method.responseSerialize(message);
            bytes += encoded.length;
            if (!stream.write(encoded)) await drained(stream, call);
          }
        });
        stream.end();
        end(served, method, status.OK, bytes);
      } catch (thrown) {
        const error = failure(served.fail(thrown));
        stream.emit("error", error);
        end(served, method, error.code, bytes);
      }
    };
  }
  type Unary = ServerUnaryCall<unknown, Buffer> | ServerReadableStream<unknown, Buffer>;
  return async (incoming: Unary, reply: sendUnaryData<Buffer>) => {
    const served = begin(method, incoming, serving);
    const request = method.requestStream ? incoming : (incoming as { request?: unknown }).request;
    try {
      const message = await served.run(async (call) => answer(request, call));
      const bytes = method.responseSerialize(message);
      reply(null, bytes);
      end(served, method, status.OK, bytes.length);
    } catch (thrown) {
      const error = failure(served.fail(thrown));
      reply(error);
      end(served, method, error.code, 0);
    }
  };
}

/** What is common to calls of every shape. */
interface Started {
  readonly metadata: Metadata;
  getDeadline(): Date | number;
  once(event: "cancelled", listener: () => void): unknown;
}

function begin(method: Method, incoming: Started, serving: Serving): Served {
  const startedAt = performance.now();
  const begun = serving.begin(
    headersFromMetadata(incoming.metadata),
    timeLeft(incoming.getDeadline()),
  );
  const name = nameOf(method);
  const served = serving.serve(begun, {
    protocol: "grpc",
    name,
    attributes: grpcCall(name),
    startedAt,
  });
  incoming.once("cancelled", () => {
    const { call } = served;
    // A deadline that passes cancels the stream as well; the call's own timer has a better reason.
    if (Date.now() < call.deadline) call.abort(new HostError("ERR_CANCELLED", "the client left"));
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

function drained(stream: ServerWritableStream<unknown, Buffer>, { signal }: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once("drain", resolve);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
