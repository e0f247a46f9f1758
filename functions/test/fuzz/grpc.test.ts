/** gRPC, message by message, against a greeter: each call ends with the status that its client's mistake has. */
import assert from "node:assert/strict";
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from "node:http2";
import { test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { askByGrpc } from "../support/ask-by-grpc.ts";
import { assertNoInternals } from "../support/fuzz/answers.ts";
import { fuzz } from "../support/fuzz/fuzz.ts";
import { message } from "../support/fuzz/http2-frames.ts";
import { greeterMain, startTarget } from "../support/fuzz/target.ts";

const method = "/greeting.GreetingService/Greeting";
const zeros = Buffer.alloc(8 * 2 ** 20);
/** 8 MiB each, where a message may have 1. */
const bombs = { gzip: gzipSync(zeros), deflate: deflateSync(zeros) };

const content = fc.oneof(
  { weight: 3, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...[bombs.gzip, bombs.deflate, bombs.gzip.subarray(0, 4_000), Buffer.alloc(1_100_000)],
      ...[gzipSync(""), gzipSync("x"), Buffer.alloc(0)],
    ),
  },
);
const anyMessage = fc
  .tuple(
    content,
    fc.constantFrom(0, 0, 0, 1, 1, 2, 255),
    fc.constantFrom(undefined, undefined, undefined, 0, 1, 5, 0x7fffffff, 0xffffffff),
  )
  .map((parts) => message(...parts));
/** Of zeros, on both sides of what a message may have: an eighth of a MiB and more. */
const zipped = fc
  .tuple(fc.constantFrom("gzip", "deflate"), fc.integer({ min: 1, max: 32 }))
  .map(([encoding, eighths]) => {
    const zip = encoding === "gzip" ? gzipSync : deflateSync;
    return {
      path: method,
      headers: { "grpc-encoding": encoding } as Record<string, string>,
      ends: true,
      body: message(zip(Buffer.alloc(eighths * 2 ** 17)), 1),
      isBomb: eighths > 8,
    };
  });

const header = fc.oneof(
  fc.constantFrom<[string, string]>(
    ...([
      ...["1n", "99999999H", "999999999H", "-1S", "", "1", "0S", "5x"].map((t) => [
        "grpc-timeout",
        t,
      ]),
      ...["gzip", "deflate", "identity", "nonsense", "gzip, gzip", ""].map((e) => [
        "grpc-encoding",
        e,
      ]),
      ["grpc-accept-encoding", ",,gzip,x"],
      ["traceparent", "x"],
      ["grpc-trace-bin", "!!!"],
      ["x-bin", "a,b,,"],
      ["x-request-id", "y".repeat(9_000)],
      ["x-call-protocol", "telnet"],
      ["x-log-level", "nonsense"],
      ["content-type", "application/grpc+json"],
      ["content-type", "application/grpc-web"],
      ["content-type", "text/plain"],
      ["user-agent", ""],
      ["__proto__", "x"],
    ] as [string, string][]),
  ),
  fc.tuple(
    fc.constantFrom("x-a", "x-b-bin", "x-request-id", "baggage", "grpc-tags-bin"),
    fc.string({ maxLength: 40, unit: "grapheme-ascii" }),
  ),
);
const path = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      ...[method, method, method, "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"],
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "/",
      "*",
      "//",
      "/greeting.GreetingService/",
      "/__proto__/x",
      "/../x",
    ),
  },
  { weight: 1, arbitrary: fc.webPath().map((text) => `/${text}`) },
);
const anyCall = fc.record({
  path,
  headers: fc.array(header, { maxLength: 3 }).map((pairs) => Object.fromEntries(pairs)),
  ends: fc.boolean(),
  body: fc.array(anyMessage, { maxLength: 3 }).map((parts) => Buffer.concat(parts)),
  isBomb: fc.constant(false),
});
const input = fc.oneof({ weight: 6, arbitrary: anyCall }, { weight: 1, arbitrary: zipped });

type Input = typeof input extends fc.Arbitrary<infer T> ? T : never;

/** After this a client resets a call that is meant to stay open. */
const quietMs = 10;

/** No gRPC at all: answered with 415 at once, whether or not the request ends. */
function isOther(headers: Input["headers"]): boolean {
  return !/^application\/grpc/.test(headers["content-type"] ?? "application/grpc");
}

/** What the server says in headers and trailers, until the call has ended. */
async function answer(client: ClientHttp2Session, { path, headers, ends, body }: Input) {
  const call = client.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  const said: IncomingHttpHeaders = {};
  const note = (more: IncomingHttpHeaders) => void Object.assign(said, more);
  call
    .on("response", note)
    .on("trailers", note)
    .on("error", () => {})
    .resume();
  // Not events.once, which rejects where the server resets the call.
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  call.once("close", resolve);
  if (ends) call.end(body);
  else call.write(body);
  const stays = !ends || path.endsWith("/Watch");
  const reset = () => {
    call.close(constants.NGHTTP2_CANCEL);
    // By itself that waits until all is written, which it never is where a server that has refused the call reads no more.
    if (call.writableLength > 0) call.destroy();
  };
  const isRefused = isOther(headers);
  const timer = setTimeout(reset, stays ? (isRefused ? 1_000 : quietMs) : 10_000);
  // The server has ended its own side, and waits for ours.
  if (stays && isRefused) call.once("response", reset);
  await ended;
  clearTimeout(timer);
  return said;
}

/** Those of a client's mistake (with INTERNAL grpc-js refuses a message that it cannot read), of success, and of time. */
const fair = new Set<unknown>([
  ...[status.OK, status.CANCELLED, status.INVALID_ARGUMENT, status.DEADLINE_EXCEEDED],
  ...[status.NOT_FOUND, status.RESOURCE_EXHAUSTED, status.UNIMPLEMENTED, status.INTERNAL],
]);

test("whatever messages come, a call ends with the status of its mistake", async (context) => {
  await using target = await startTarget("fuzzed", { entry: greeterMain });
  await fuzz(context, {
    seam: "grpc",
    input,
    bytesOf: ({ path, headers, ends, body }) =>
      Buffer.concat([Buffer.from(JSON.stringify([path, headers, ends])), body]),
    async send(given) {
      const client = connect(`http://127.0.0.1:${target.port}`).on("error", () => {});
      const closed = new Promise((resolve) => client.once("close", resolve));
      try {
        const said = await answer(client, given);
        assertNoInternals(decodeURI(JSON.stringify(said)));
        const code = said["grpc-status"];
        if (code !== undefined) assert.ok(fair.has(Number(code)), JSON.stringify(said));
        if (given.isBomb) assert.equal(Number(code), status.RESOURCE_EXHAUSTED);
        if (isOther(given.headers)) assert.equal(said[":status"], 415);
      } finally {
        client.destroy();
        await closed;
      }
    },
    targets: [target],
    async wellAfter() {
      assert.equal((await askByGrpc(target.port)).length, 1);
    },
  });
});
