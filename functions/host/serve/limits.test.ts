/** Slow and idle clients: each is cut off in time, and the port serves others. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { ask } from "../../test/support/ask.ts";
import { askByGrpc } from "../../test/support/ask-by-grpc.ts";
import { answersIn } from "../../test/support/fuzz/answers.ts";
import { frame, frameType, preface } from "../../test/support/fuzz/http2-frames.ts";
import { openRaw } from "../../test/support/raw.ts";
import { testFunction } from "../../test/support/test-function.ts";
import { startTestHost } from "../../test/support/test-host.ts";
import { until } from "../../test/support/until.ts";

const limits = {
  silenceMs: 200,
  headersMs: 200,
  requestMs: 400,
  keepAliveMs: 200,
  grpcIdleMs: 200,
};
const greets = testFunction({
  routes: [{ method: "POST", path: "/", handle: async ({ body }) => ({ body: body.bytes }) }],
  greetings: async () => [{ id: "1", service: "s", message: "m", created: "c" }],
});
const post = "POST / HTTP/1.1\r\nhost: a\r\n";

/** Sends a byte of it again and again, until the server has had enough. */
function drip(write: (text: string) => void, text: string): () => void {
  const timer = setInterval(() => write(text), 20);
  return () => clearInterval(timer);
}

for (const [what, start, more, statuses] of [
  ["headers that never end", "GET / HTTP/1.1\r\n", "a: b\r\n", [408]],
  ["a request line that never ends", "GET /", "a", [408]],
  ["a body that never comes", `${post}content-length: 1000\r\n\r\n`, "", [408]],
  ["a body byte by byte", `${post}content-length: 1000\r\n\r\n`, "x", [408]],
  ["chunks without an end", `${post}transfer-encoding: chunked\r\n\r\n`, "1\r\nx\r\n", [408]],
  [
    "a connection that is idle after its answer",
    "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n",
    "",
    [200],
  ],
  ["HTTP/2 without settings", preface.toString("latin1"), "", []],
  [
    "settings, and no call",
    Buffer.concat([preface, frame(frameType.settings, 0, 0)]).toString("latin1"),
    "",
    [],
  ],
] as const) {
  test(`${what} is cut off in time`, async () => {
    await using host = await startTestHost(greets, { limits });
    using raw = await openRaw(host.port);
    raw.write(Buffer.from(start, "latin1"));
    const stop = drip(raw.write, more);
    const said = await raw.closed.finally(stop);
    const answers = answersIn(Buffer.from(said, "latin1"));
    // Of HTTP/2 there are frames, and no answer.
    const seen = answers.filter(({ status }) => status > 0).map(({ status }) => status);
    assert.deepEqual(seen, statuses);
    assert.equal((await ask(host.port, "/healthz")).status, 200);
  });
}

test("a client that does not take its answer is cut off in time, and one that waits for it is not", async () => {
  const large = testFunction({
    routes: [
      { method: "GET", path: "/", handle: async () => ({ body: Buffer.alloc(20_000_000) }) },
      {
        method: "GET",
        path: "/slow",
        async handle() {
          await delay(3 * limits.requestMs);
          return { body: { late: true } };
        },
      },
    ],
  });
  await using host = await startTestHost(large, { limits });
  const waiting = ask(host.port, "/slow");
  const socket = connect(host.port, "127.0.0.1").pause();
  socket.on("error", () => {});
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  await until("both are connected", () => host.connections() === 2);
  assert.deepEqual((await waiting).json(), { late: true });
  await until("no connection is left", () => host.connections() === 0, 3_000);
  socket.destroy();
});

test("a call of gRPC whose message never comes ends with DEADLINE_EXCEEDED", async () => {
  await using host = await startTestHost(greets, { limits });
  const client = new Client(`127.0.0.1:${host.port}`, credentials.createInsecure());
  const same = (bytes: Buffer) => bytes;
  const { promise, resolve } = Promise.withResolvers<ServiceError | null>();
  client.makeClientStreamRequest("/greeting.GreetingService/Greeting", same, same, resolve);
  const error = await promise.finally(() => client.close());
  assert.equal(error?.code, status.DEADLINE_EXCEEDED);
  assert.equal(error?.details, "the request did not come in time");
  assert.equal((await askByGrpc(host.port)).length, 1);
});
