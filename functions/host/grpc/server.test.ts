import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Client,
  credentials,
  type Metadata,
  makeGenericClientConstructor,
  type ServiceDefinition,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import { HostError } from "#host/base/errors";
import { reflect } from "../../test/support/reflect.ts";
import { testFunction } from "../../test/support/test-function.ts";
import { startTestHost } from "../../test/support/test-host.ts";
import { until } from "../../test/support/until.ts";

const greets = testFunction({ greetings: async () => [] });
const mute = testFunction({});

interface Reply {
  code: number;
  details: string;
  metadata: Metadata | undefined;
  bytes: Buffer | undefined;
}

/** One unary call of bytes, as any gRPC client in any language could make it. */
async function callMethod(port: number, method: string, message = Buffer.alloc(0)): Promise<Reply> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const { promise, resolve } = Promise.withResolvers<Reply>();
  const same = (bytes: Buffer) => bytes;
  client.makeUnaryRequest(method, same, same, message, (error: ServiceError | null, bytes) =>
    resolve({
      code: error?.code ?? status.OK,
      details: error?.details ?? "",
      metadata: error?.metadata,
      bytes,
    }),
  );
  return promise.finally(() => client.close());
}

test("an unknown method or service is UNIMPLEMENTED", async () => {
  await using host = await startTestHost(greets);
  for (const method of ["/greeting.GreetingService/Farewell", "/other.Service/Greeting"]) {
    assert.equal((await callMethod(host.port, method)).code, status.UNIMPLEMENTED);
  }
});

test("a function without greetings leaves the method unimplemented", async () => {
  await using host = await startTestHost(mute);
  const { code } = await callMethod(host.port, "/greeting.GreetingService/Greeting");
  assert.equal(code, status.UNIMPLEMENTED);
});

test("an error has its code in a trailer, beside gRPC's status", async () => {
  const fails = testFunction({
    greetings: () => Promise.reject(new HostError("ERR_PUBLISH", "RabbitMQ is away")),
  });
  await using host = await startTestHost(fails);
  const reply = await callMethod(host.port, "/greeting.GreetingService/Greeting");
  assert.equal(reply.code, status.UNAVAILABLE);
  assert.equal(reply.details, "RabbitMQ is away");
  assert.deepEqual(reply.metadata?.get("error-code"), ["ERR_PUBLISH"]);
});

test("an unexpected failure is in the log, and not in the answer", async () => {
  const fails = testFunction({
    greetings: () => Promise.reject(new TypeError("password=hunter2")),
  });
  await using host = await startTestHost(fails);
  const reply = await callMethod(host.port, "/greeting.GreetingService/Greeting");
  assert.equal(reply.code, status.INTERNAL);
  assert.doesNotMatch(reply.details, /hunter2/);
  const line = host.logs.find(({ msg }) => msg === "failed unexpectedly");
  assert.match(JSON.stringify(line?.err), /hunter2/);
});

test("a message over the limit is refused, and one within it is taken", async () => {
  await using host = await startTestHost(greets, { env: { BODY_LIMIT_BYTES: "1000" } });
  // Field 1 of wire type 2 (bytes), unknown to the request's message and skipped by every reader.
  const message = (length: number) =>
    Buffer.concat([Buffer.from([0x0a, 0x80 | (length & 0x7f), length >> 7]), Buffer.alloc(length)]);
  const method = "/greeting.GreetingService/Greeting";
  assert.equal((await callMethod(host.port, method, message(900))).code, status.OK);
  assert.equal(
    (await callMethod(host.port, method, message(1_100))).code,
    status.RESOURCE_EXHAUSTED,
  );
});

async function checkHealth(port: number, service: string): Promise<string> {
  const HealthClient = makeGenericClientConstructor(healthService as ServiceDefinition, "Health");
  const client = new HealthClient(`127.0.0.1:${port}`, credentials.createInsecure());
  const { promise, resolve } = Promise.withResolvers<string>();
  client.check?.({ service }, (error: ServiceError | null, answer: { status: string }) =>
    resolve(error ? (status[error.code] ?? "") : answer.status),
  );
  return promise.finally(() => client.close());
}

test("health follows readiness, for the server and for its service", async () => {
  let problem: string | undefined;
  const resource = { name: "A server", problem: () => problem, close: async () => {} };
  await using host = await startTestHost(
    testFunction({ greetings: async () => [], resources: [resource] }),
  );
  const both = async () => [
    await checkHealth(host.port, ""),
    await checkHealth(host.port, "greeting.GreetingService"),
  ];
  assert.deepEqual(await both(), ["SERVING", "SERVING"]);
  problem = "it is away";
  await until("the health service says so", async () =>
    (await both()).every((s) => s === "NOT_SERVING"),
  );
  problem = undefined;
  await until("the health service says so", async () =>
    (await both()).every((s) => s === "SERVING"),
  );
});

test("health knows no other service, and not one that is unimplemented", async () => {
  await using host = await startTestHost(mute);
  assert.equal(await checkHealth(host.port, ""), "SERVING");
  assert.equal(await checkHealth(host.port, "greeting.GreetingService"), "NOT_FOUND");
  assert.equal(await checkHealth(host.port, "other"), "NOT_FOUND");
});

test("reflection lists the greeting service and gives its file", async () => {
  await using host = await startTestHost(greets);
  const symbol = { fileContainingSymbol: "greeting.GreetingService" };
  const [list, file] = await reflect(host.port, [{ listServices: "" }, symbol]);
  const names = list?.listServicesResponse?.service?.map(({ name }) => name);
  assert.deepEqual(names, ["greeting.GreetingService"]);
  const [bytes] = file?.fileDescriptorResponse?.fileDescriptorProto ?? [];
  assert.ok(bytes?.includes("GreetingResponse"));
});

test("reflection lists nothing where the method is unimplemented", async () => {
  await using host = await startTestHost(mute);
  const [list] = await reflect(host.port, [{ listServices: "" }]);
  assert.deepEqual(list?.listServicesResponse?.service ?? [], []);
});
