import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { test } from "node:test";
import { createGrpcClient } from "#host/grpc/client";
import { ask } from "../../test/support/ask.ts";
import { exchange } from "../../test/support/fuzz/answers.ts";
import { openRaw } from "../../test/support/raw.ts";
import { testCall } from "../../test/support/test-call.ts";
import { testFunction } from "../../test/support/test-function.ts";
import { startTestHost } from "../../test/support/test-host.ts";
import { until } from "../../test/support/until.ts";

const echo = testFunction({
  routes: [
    { method: "GET", path: "/", handle: async () => ({ status: 200, body: { said: "hello" } }) },
    { method: "POST", path: "/", handle: async ({ body }) => ({ status: 200, body: body.bytes }) },
  ],
  greetings: async () => [{ id: "1", service: "Echo", message: "hello", created: "now" }],
});

async function greet(port: number): Promise<string[]> {
  const client = createGrpcClient(() => `127.0.0.1:${port}`);
  using call = testCall();
  const greetings = await client.greetings("echo", call).finally(client.close);
  return greetings.map(({ message }) => message);
}

/** A way to a port on which every byte of a client's goes by itself. */
async function startDrip(port: number): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1").setNoDelay();
    let written = Promise.resolve();
    client.on("data", (chunk) => {
      for (const byte of chunk) {
        written = written.then(() => new Promise((resolve) => setImmediate(resolve)));
        written = written.then(() => void upstream.write(Buffer.of(byte)));
      }
    });
    upstream.pipe(client);
    client.once("close", () => upstream.destroy());
    for (const socket of [client, upstream]) socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

test("HTTP/1.1 and gRPC are served on one port, at the same time", async () => {
  await using host = await startTestHost(echo);
  const both = Array.from({ length: 10 }, () => [ask(host.port), greet(host.port)]).flat();
  const answers = await Promise.all(both);
  for (const [i, answer] of answers.entries()) {
    if (i % 2 === 0)
      assert.deepEqual((answer as Awaited<ReturnType<typeof ask>>).json(), { said: "hello" });
    else assert.deepEqual(answer, ["hello"]);
  }
});

test("the protocol of a connection is known even when its bytes come one by one", async () => {
  await using host = await startTestHost(echo);
  await using drip = await startDrip(host.port);
  assert.deepEqual(await greet(drip.port), ["hello"]);
  assert.equal((await ask(drip.port, "/", { body: "PRI" })).text, "PRI");
});

for (const start of ["P", "PR", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r"]) {
  test(`${JSON.stringify(start)} and nothing more is closed, and the port still serves`, async () => {
    await using host = await startTestHost(echo, { limits: { silenceMs: 50 } });
    using raw = await openRaw(host.port);
    raw.write(start);
    assert.equal(await raw.closed, "");
    assert.equal((await ask(host.port)).status, 200);
    assert.deepEqual(await greet(host.port), ["hello"]);
  });
}

test("half a preface is not waited for when its client has ended", async () => {
  await using host = await startTestHost(echo);
  await exchange(host.port, [Buffer.from("PRI * HTTP/2.0\r\n")]);
  assert.equal(host.connections(), 0);
});

test("a connection that says nothing is closed", async () => {
  await using host = await startTestHost(echo, { limits: { silenceMs: 50 } });
  using raw = await openRaw(host.port);
  assert.equal(await raw.closed, "");
});

test("a connection that has said enough is not closed for its silence", async () => {
  await using host = await startTestHost(echo, { limits: { silenceMs: 50 } });
  using quiet = await openRaw(host.port);
  quiet.write("GET / HTTP/1.1\r\nhost: a\r\n");
  using silent = await openRaw(host.port);
  await silent.closed;
  quiet.write("connection: close\r\n\r\n");
  assert.match(await quiet.closed, /^HTTP\/1\.1 200 /);
});

for (const [method, status] of [
  ["POST", 200],
  ["PROPFIND", 405],
  ["PRI", 400],
] as const) {
  test(`${method}, which begins like HTTP/2's preface, is HTTP/1.1`, async () => {
    await using host = await startTestHost(echo);
    using raw = await openRaw(host.port);
    raw.write(method.slice(0, 2));
    await new Promise((resolve) => setImmediate(resolve));
    raw.write(`${method.slice(2)} / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
    assert.match(await raw.closed, new RegExp(`^HTTP/1\\.1 ${status} `));
  });
}

for (const [what, bytes] of [
  ["rubbish", Buffer.from([0, 1, 2, 255, 254, 13, 10, 13, 10])],
  ["a TLS hello", Buffer.from("1603010200010001fc0303", "hex")],
  [
    "an HTTP/2 preface and then rubbish",
    Buffer.from(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${"x".repeat(99)}`),
  ],
] as const) {
  test(`${what} is closed, and the port still serves`, async () => {
    await using host = await startTestHost(echo);
    using raw = await openRaw(host.port);
    raw.write(bytes);
    await raw.closed;
    assert.equal((await ask(host.port)).status, 200);
    assert.deepEqual(await greet(host.port), ["hello"]);
  });
}

test("a gRPC client that goes without a word leaves no connection behind", async () => {
  await using host = await startTestHost(echo);
  using raw = await openRaw(host.port);
  raw.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  raw.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  await until("the server has sent its settings", () => raw.said().length >= 9);
  assert.equal(host.connections(), 1);
  raw[Symbol.dispose]();
  await until("the connection is gone", () => host.connections() === 0);
});

test("a port that is taken is an error that names it, and nothing is left open", async () => {
  await using host = await startTestHost(echo);
  let closed = 0;
  const resource = { name: "A server", problem: () => undefined, close: async () => void closed++ };
  const second = testFunction({ resources: [resource] }, { name: "second" });
  const starting = startTestHost(second, { env: { PORT: String(host.port) } });
  await assert.rejects(starting, { code: "EADDRINUSE" });
  assert.equal(closed, 1);
});
