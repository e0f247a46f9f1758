/** Calls that a client does not end, frame by frame: each is reset in time, and the port serves others. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { askByGrpc } from "../../test/support/ask-by-grpc.ts";
import {
  flag,
  frame,
  framesIn,
  frameType,
  headersOf,
  message,
  preface,
  setting,
  uint32,
} from "../../test/support/fuzz/http2-frames.ts";
import { openRaw } from "../../test/support/raw.ts";
import { testFunction } from "../../test/support/test-function.ts";
import { startTestHost } from "../../test/support/test-host.ts";
import { until } from "../../test/support/until.ts";

const limits = { headersMs: 300, requestMs: 300, grpcIdleMs: 300 };
const greets = testFunction({
  greetings: async () => [{ id: "1", service: "s", message: "m", created: "c" }],
});
const method = "/greeting.GreetingService/Greeting";
const settings = frame(frameType.settings, 0, 0);
const noWindow = frame(frameType.settings, 0, 0, setting(4, 0));
const call = (stream: number, headers: readonly (readonly [string, string])[] = []) =>
  frame(frameType.headers, flag.endHeaders, stream, headersOf(method, headers));
const data = (stream: number, flags: number, bytes = message(Buffer.alloc(0))) =>
  frame(frameType.data, flags, stream, bytes);
const calls = (count: number, make: (stream: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => make(2 * i + 1)));

const received = (said: string) => framesIn(Buffer.from(said, "latin1"));
const resets = (said: string) => received(said).filter(({ type }) => type === frameType.reset);

for (const [what, sent] of [
  [
    "a window of 0",
    [noWindow, calls(500, (id) => Buffer.concat([call(id), data(id, flag.endStream)]))],
  ],
  [
    "a window of 0 and a deadline that has passed",
    [
      noWindow,
      calls(500, (id) =>
        Buffer.concat([call(id, [["grpc-timeout", "10m"]]), data(id, flag.endStream)]),
      ),
    ],
  ],
  ["an answer after which the client does not end", [settings, call(1), data(1, 0)]],
  [
    "a message that is refused, after which the client does not end",
    [settings, call(1), data(1, 0, message(Buffer.alloc(0), 0, 0x7fffffff))],
  ],
] as const) {
  test(`${what} does not keep a call or its connection open`, async () => {
    await using host = await startTestHost(greets, { limits });
    using raw = await openRaw(host.port);
    raw.write(Buffer.concat([preface, ...sent]));
    await raw.closed;
    assert.equal((await askByGrpc(host.port)).length, 1);
  });
}

test("a call whose client takes its answer late, but in time, is answered", async () => {
  await using host = await startTestHost(greets, { limits: { grpcIdleMs: 300 } });
  using raw = await openRaw(host.port);
  raw.write(Buffer.concat([preface, noWindow, call(1), data(1, flag.endStream)]));
  const headers = () => received(raw.said()).some(({ type }) => type === frameType.headers);
  await until("the answer has begun", headers);
  raw.write(frame(frameType.window, 0, 1, uint32(1_000)));
  const said = await raw.closed;
  assert.deepEqual(resets(said), []);
  const ended = received(said).filter(({ stream, flags }) => stream === 1 && flags & 1);
  assert.equal(ended.length, 1);
});

for (const [when, acknowledged, refused] of [
  [
    "before its client has taken the settings",
    Buffer.alloc(0),
    // REFUSED_STREAM, which a client may send again (RFC 9113, 8.7).
    { type: frameType.reset, stream: 2_001, error: 7 },
  ],
  [
    "after its client has taken the settings",
    frame(frameType.settings, flag.endStream, 0),
    // PROTOCOL_ERROR, in a GOAWAY after the stream's number.
    { type: frameType.goaway, stream: 0, error: 1 },
  ],
] as const) {
  test(`the 1,001st open call of a connection is refused, ${when}`, async () => {
    await using host = await startTestHost(greets);
    using raw = await openRaw(host.port);
    raw.write(Buffer.concat([preface, settings]));
    await until("the server has sent its settings", () => received(raw.said()).length >= 2);
    const ping = frame(frameType.ping, 0, 0, Buffer.alloc(8));
    raw.write(Buffer.concat([acknowledged, calls(1_000, (id) => call(id)), ping]));
    const answers = () => received(raw.said()).slice(2);
    await until("the server has read them all", () => answers().length > 0);
    assert.deepEqual(
      answers().map(({ type }) => type),
      [frameType.ping],
    );
    raw.write(call(2_001));
    await until("the server refuses the next", () => answers().length > 1);
    const { type, stream, payload } = answers().at(-1) ?? assert.fail();
    const error = payload.readUInt32BE(type === frameType.goaway ? 4 : 0);
    assert.deepEqual({ type, stream, error }, refused);
    assert.equal((await askByGrpc(host.port)).length, 1);
  });
}
