import { credentials } from "@grpc/grpc-js";
import { type Greeting, GreetingServiceClient } from "#proto";

/** One call on a channel of its own. */
export function askByGrpc(port: number): Promise<Greeting[]> {
  const client = new GreetingServiceClient(`127.0.0.1:${port}`, credentials.createInsecure());
  const { promise, resolve, reject } = Promise.withResolvers<Greeting[]>();
  client.greeting({}, (error, response) => (error ? reject(error) : resolve(response.greeting)));
  return promise.finally(() => client.close());
}
