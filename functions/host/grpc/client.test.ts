import assert from "node:assert/strict";
import { test } from "node:test";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import { greeter } from "#host";
import { createGrpcClient } from "#host/grpc/client";
import { GreetingServiceService } from "#proto";
import { claimsOfBothClients } from "../../test/support/client-claims.ts";
import { testCall } from "../../test/support/test-call.ts";
import { startTestHost } from "../../test/support/test-host.ts";

function clientOf(address: string) {
  const client = createGrpcClient(() => address);
  return { ...client, [Symbol.dispose]: client.close };
}

claimsOfBothClients("gRPC", clientOf);

/** A gRPC server that is none of ours: it answers with a status, and knows no code of ours. */
async function startForeign(code: number) {
  const server = new Server();
  server.addService(GreetingServiceService, {
    greeting: (_: unknown, reply: (error: object) => void) => reply({ code, details: "why" }),
  });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
    error ? reject(error) : resolve(port),
  );
  const address = `127.0.0.1:${await promise}`;
  return { address, [Symbol.dispose]: () => server.forceShutdown() };
}

for (const [name, code] of [
  ["CANCELLED", "ERR_CANCELLED"],
  ["UNKNOWN", "ERR_ANSWER"],
  ["INVALID_ARGUMENT", "ERR_ANSWER"],
  ["DEADLINE_EXCEEDED", "ERR_DEADLINE"],
  ["UNIMPLEMENTED", "ERR_ANSWER"],
  ["INTERNAL", "ERR_ANSWER"],
  ["UNAVAILABLE", "ERR_CALLEE"],
  ["RESOURCE_EXHAUSTED", "ERR_ANSWER"],
] as const) {
  test(`${name} of a server that knows no code of ours is ${code}, and names it`, async () => {
    using foreign = await startForeign(status[name]);
    using client = clientOf(foreign.address);
    using call = testCall();
    await assert.rejects(client.greetings("callee", call), { code, message: /^callee: / });
  });
}

test("calls go to their callee directly, whatever proxy the environment names", async (t) => {
  const names = ["http_proxy", "https_proxy", "grpc_proxy"];
  const before = names.map((name) => process.env[name]);
  t.after(() => {
    for (const [i, name] of names.entries()) {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    }
  });
  for (const name of names) process.env[name] = "http://127.0.0.1:9";
  await using host = await startTestHost(greeter({ name: "leaf", greeting: "hi" }));
  const client = createGrpcClient(() => host.address);
  using call = testCall();
  const [greeting] = await client.greetings("leaf", call).finally(client.close);
  assert.equal(greeting?.message, "hi");
});
