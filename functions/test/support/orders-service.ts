/** A gRPC service as ts-proto generates one, with JSON for bytes: the tests need no .proto of their own. */
import type { MethodDefinition } from "@grpc/grpc-js";

function method<Request, Response, Q extends boolean = false, R extends boolean = false>(
  name: string,
  requestStream: Q = false as Q,
  responseStream: R = false as R,
) {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value));
  const decode = (bytes: Buffer) => JSON.parse(bytes.toString());
  return {
    path: `/test.Orders/${name}`,
    requestStream,
    responseStream,
    requestSerialize: encode,
    requestDeserialize: decode,
    responseSerialize: encode,
    responseDeserialize: decode,
  } satisfies MethodDefinition<Request, Response> as MethodDefinition<Request, Response> & {
    requestStream: Q;
    responseStream: R;
  };
}

export const Orders = {
  create: method<{ item: string }, { id: string }>("Create"),
  list: method<{ count: number }, { id: string }, false, true>("List", false, true),
  sum: method<{ amount: number }, { total: number }, true>("Sum", true),
  echo: method<{ text: string }, { text: string }, true, true>("Echo", true, true),
} as const;
