import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostError } from "#host/base/errors";
import type { Resource } from "#host/base/resource";
import type { Call } from "#host/call/call";
import { createGrpcClient } from "#host/grpc/client";
import type { Greeting } from "#proto";
import { ask } from "../test/support/ask.ts";
import { openRaw } from "../test/support/raw.ts";
import { testCall } from "../test/support/test-call.ts";
import { testFunction } from "../test/support/test-function.ts";
import { startTestHost } from "../test/support/test-host.ts";
import { until } from "../test/support/until.ts";

const hello: Greeting = { id: "1", service: "Tested", message: "hello", created: "" };

/** A function whose answers wait until the test lets them go; it notes the order of what happens. */
function held(options: { heedsAbort?: boolean } = {}) {
  const events: string[] = [];
  const released = Promise.withResolvers<void>();
  let inside = 0;
  const resource: Resource = {
    name: "A server",
    problem: () => undefined,
    close: async () => void events.push("resource closed"),
  };
  const definition = testFunction({
    resources: [resource],
    drain: async () => void events.push("drain"),
    async greetings({ signal }: Call) {
      inside++;
      const aborted = new Promise<never>((_, reject) => {
        if (options.heedsAbort) signal.addEventListener("abort", () => reject(signal.reason));
      });
      await Promise.race([released.promise, aborted]);
      events.push("answered");
      return [hello];
    },
  });
  return { definition, events, release: released.resolve, inside: () => inside };
}

function greetByGrpc(address: string): Promise<Greeting[]> {
  const client = createGrpcClient(() => address);
  const call = testCall();
  return client.greetings("tested", call).finally(() => {
    call.end();
    client.close();
  });
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`;

test("closing fails readiness, refuses connections, ends what is in flight, then closes clients", async () => {
  const { definition, events, release, inside } = held();
  await using host = await startTestHost(definition);
  using raw = await openRaw(host.port);
  raw.write(get("/"));
  const overGrpc = greetByGrpc(host.address);
  await until("both requests are in flight", () => inside() === 2);
  assert.equal(host.ready(), true);

  const closed = host.close();
  assert.equal(host.ready(), false);
  // What the system has accepted already is served: it ends a turn or two of the event loop later.
  await new Promise((resolve) => setTimeout(resolve, 20));
  await assert.rejects(ask(host.port), { code: "ECONNREFUSED" });
  assert.deepEqual(events, ["drain"]);
  release();
  assert.deepEqual(await overGrpc, [hello]);
  const said = await raw.closed;
  assert.match(said, /^HTTP\/1\.1 200 [\s\S]*"message":"hello"/);
  await closed;
  assert.deepEqual(events, ["drain", "answered", "answered", "resource closed"]);
  assert.equal(host.connections(), 0);
});

test("a client that is connected as closing begins, and has sent nothing yet, is answered", async () => {
  await using host = await startTestHost(testFunction({ greetings: async () => [hello] }));
  using early = await openRaw(host.port);
  const closed = host.close();
  early.write(get("/"));
  assert.match(await early.closed, /^HTTP\/1\.1 200 /);
  await closed;
});

test("what is in flight over either protocol is answered, though nothing else is open", async () => {
  for (const protocol of ["HTTP", "gRPC"] as const) {
    const { definition, release, inside } = held();
    await using host = await startTestHost(definition);
    const answer =
      protocol === "gRPC"
        ? greetByGrpc(host.address)
        : ask(host.port).then((a) => a.json<{ greeting: Greeting[] }>().greeting);
    await until("the request is in flight", () => inside() === 1);
    const closed = host.close();
    release();
    assert.equal((await answer)[0]?.message, "hello", protocol);
    await closed;
  }
});

test("what is in flight at the drain limit is cut off, and says so over both protocols", async () => {
  const { definition, inside } = held({ heedsAbort: true });
  await using host = await startTestHost(definition, { env: { DRAIN_TIMEOUT_MS: "50" } });
  const overHttp = ask(host.port);
  const overGrpc = greetByGrpc(host.address);
  const grpcFails = assert.rejects(overGrpc, { code: "ERR_DRAINING" });
  await until("both requests are in flight", () => inside() === 2);
  await host.close();
  const answer = await overHttp;
  assert.equal(answer.status, 503);
  assert.equal(answer.json().code, "ERR_DRAINING");
  await grpcFails;
  assert.ok(host.logs.some(({ msg, calls }) => msg.includes("cut off") && calls === 2));
});

test("a handler that ignores its abort is cut off with an answer, and the host closes", async () => {
  const { definition, inside } = held();
  await using host = await startTestHost(definition, { env: { DRAIN_TIMEOUT_MS: "50" } });
  const answer = ask(host.port);
  await until("the request is in flight", () => inside() === 1);
  await host.close();
  assert.equal((await answer).json().code, "ERR_DRAINING");
  assert.equal(host.connections(), 0);
});

test("close is idempotent: every caller waits for the one end", async () => {
  const { definition, events, release, inside } = held();
  await using host = await startTestHost(definition);
  const answer = ask(host.port);
  await until("the request is in flight", () => inside() === 1);
  const closes = Promise.all([host.close(), host.close(), host.close()]);
  release();
  await closes;
  await host.close();
  assert.equal((await answer).status, 200);
  assert.deepEqual(events, ["drain", "answered", "resource closed"]);
});

test("an idle host closes though clients keep their connections", async () => {
  await using host = await startTestHost(testFunction({ greetings: async () => [hello] }));
  using idle = await openRaw(host.port);
  idle.write(get("/"));
  await until("it is answered", () => idle.said().includes("hello"));
  using silent = await openRaw(host.port);
  const client = createGrpcClient(() => host.address);
  using call = testCall();
  await client.greetings("tested", call);
  await host.close();
  await Promise.all([idle.closed, silent.closed]);
  client.close();
});

test("readiness names each server that cannot be reached; liveness and what Kubernetes probes do not care", async () => {
  const problems: Record<string, string | undefined> = { MongoDB: "away", RabbitMQ: undefined };
  const resources = Object.keys(problems).map((name) => ({
    name,
    problem: () => problems[name],
    close: async () => {},
  }));
  await using host = await startTestHost(testFunction({ resources }));
  const before = await ask(host.port, "/readyz?verbose");
  assert.equal(before.status, 503);
  const checks = { MongoDB: "away", RabbitMQ: "ok" };
  assert.deepEqual(before.json(), { status: "not ready", checks });
  assert.equal((await ask(host.port, "/healthz")).status, 200);
  const self = await ask(host.port, "/readyz/self");
  assert.deepEqual([self.status, self.json()], [200, { status: "ready" }]);
  problems.MongoDB = undefined;
  const after = await ask(host.port, "/readyz");
  assert.equal(after.status, 200);
  assert.deepEqual(after.json(), { status: "ready", checks: { MongoDB: "ok", RabbitMQ: "ok" } });
});

test("wrong configuration is an error before anything is opened", async () => {
  let opened = false;
  const definition = testFunction(async () => {
    opened = true;
    return {};
  });
  const env = { DEADLINE_MS: "soon", LOG_LEVEL: "loud" };
  await assert.rejects(startTestHost(definition, { env }), (error: HostError) => {
    assert.equal(error.code, "ERR_CONFIG");
    assert.match(error.message, /DEADLINE_MS=soon[\s\S]*LOG_LEVEL=loud/);
    return true;
  });
  assert.equal(opened, false);
});
