import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { headersToMetadata, type PropagatedHeaders } from "#host/base/headers";
import { type Greeting, GreetingServiceService } from "#proto";

/** One call on a channel of its own. */
export function askByGrpc(port: number, headers: PropagatedHeaders = {}): Promise<Greeting[]> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const { promise, resolve, reject } = Promise.withResolvers<Greeting[]>();
  const metadata = new Metadata();
  headersToMetadata(headers, metadata);
  const { path, requestSerialize, responseDeserialize } = GreetingServiceService.greeting;
  client.makeUnaryRequest(
    path,
    requestSerialize,
    responseDeserialize,
    {},
    metadata,
    (error, response) => (error ? reject(error) : resolve(response?.greeting ?? [])),
  );
  return promise.finally(() => client.close());
}
