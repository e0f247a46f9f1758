/** What a client of HTTP/2 can send wrong: known attacks, each with more or less of it, and frames by chance. */
import fc from "fast-check";
import { anyText } from "./http-headers.ts";
import {
  block,
  flag,
  frame,
  frameType,
  type Header,
  headersOf,
  message,
  preface,
  setting,
  uint32,
} from "./http2-frames.ts";

const method = "/greeting.GreetingService/Greeting";
const settings = frame(frameType.settings, 0, 0);
const whole = flag.endStream | flag.endHeaders;
const call = (stream: number, flags: number = flag.endHeaders, more: readonly Header[] = []) =>
  frame(frameType.headers, flags, stream, headersOf(method, more));
const empty = message(Buffer.alloc(0));
const asked = (stream: number) =>
  Buffer.concat([call(stream), frame(frameType.data, flag.endStream, stream, empty)]);
const reset = (stream: number, error: number) => frame(frameType.reset, 0, stream, uint32(error));
const many = (count: number, make: (stream: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => make(2 * i + 1)));
const noWindow = frame(frameType.settings, 0, 0, setting(4, 0));

const attacks: readonly ((count: number) => Buffer)[] = [
  // Rapid reset, CVE-2023-44487: of calls that have begun, of those that have not, and of those that are refused.
  (n) => many(n, (id) => Buffer.concat([asked(id), reset(id, 8)])),
  (n) => many(n, (id) => Buffer.concat([call(id), reset(id, 8)])),
  (n) => many(n, (id) => Buffer.concat([call(id, whole), reset(id, id)])),
  // CONTINUATION without an end, CVE-2024-27316.
  (n) => Buffer.concat([call(1, 0), many(n, (id) => frame(9, 0, 1, block([[`a${id}`, "b"]])))]),
  (n) =>
    Buffer.concat([call(1, 0), many(n, () => frame(9, 0, 1, block([["a", "b".repeat(9_000)]])))]),
  (n) => Buffer.concat([call(1, 0), many(n, () => frame(frameType.continuation, 0, 1))]),
  // Floods of pings, settings, priorities, empty frames and windows: CVE-2019-9512, 9513, 9515, 9518.
  (n) => many(n, (id) => frame(frameType.ping, 0, 0, Buffer.alloc(8, id))),
  (n) => many(n, (id) => frame(frameType.settings, 0, 0, setting(3, id))),
  (n) => many(n, (id) => frame(frameType.settings, 0, 0, setting(1, id % 3 === 0 ? 0 : 65_536))),
  (n) => many(n, (id) => frame(frameType.priority, 0, id, Buffer.alloc(5, 1))),
  (n) => Buffer.concat([call(1), many(n, () => frame(frameType.data, 0, 1))]),
  (n) => Buffer.concat([call(1), many(n, () => frame(frameType.window, 0, 1, uint32(2 ** 24)))]),
  // More calls than there may be at a time, and none of them ends.
  (n) => many(4 * n, (id) => call(id)),
  // Windows of 0, or of a byte at a time: answers that cannot go out, CVE-2019-9511 and 9517.
  (n) => Buffer.concat([noWindow, many(n, asked)]),
  (n) =>
    Buffer.concat([noWindow, asked(1), many(n, () => frame(frameType.window, 0, 1, uint32(1)))]),
  (n) => Buffer.concat([noWindow, many(n, (id) => call(id, 4, [["grpc-timeout", "5m"]]))]),
  (n) =>
    Buffer.concat([many(n, asked), noWindow, frame(4, 0, 0, setting(4, 2 ** 31 - 1)), asked(301)]),
  // A bomb of HPACK: one entry of its table, named again and again, CVE-2016-1544.
  (n) => {
    const entry = Buffer.concat([Buffer.of(0x40), block([["x", "y".repeat(3_000)]]).subarray(1)]);
    const headers = Buffer.concat([headersOf(method), entry, Buffer.alloc(n, 0xbe)]);
    return frame(frameType.headers, whole, 1, headers);
  },
  // Numbers of streams that go down, are even, or are used twice.
  (n) => many(n, (id) => call(2 * n + 1 - id)),
  (n) => many(n, (id) => call(id + 1)),
  (n) => many(n, () => asked(2 * n + 1)),
  // Data beyond the window that the server gives.
  (n) => Buffer.concat([call(1), many(n, () => frame(frameType.data, 0, 1, Buffer.alloc(4_000)))]),
];

const attack = fc
  .tuple(fc.constantFrom(...attacks), fc.integer({ min: 1, max: 150 }))
  .map(([make, count]) => Buffer.concat([preface, settings, make(count)]));

/** Calls that are reset at once, as many as nghttp2 takes of one connection. */
export const resetCalls = Buffer.concat([
  preface,
  settings,
  many(900, (id) => Buffer.concat([call(id), reset(id, 8)])),
]);

const hostileHeader = fc.oneof(
  fc.constantFrom<Header>(
    ["connection", "close"],
    ["content-length", "5"],
    ["content-length", "5, 6"],
    ["host", "b"],
    ["te", "gzip"],
    ["transfer-encoding", "chunked"],
    ["upgrade", "h2c"],
    [":path", "/again"],
    [":status", "200"],
    [":protocol", "websocket"],
    ["Upper", "x"],
    ["", "x"],
    ["x", "\0"],
    ["x", "a\r\nb: c"],
    ["x", "y".repeat(70_000)],
  ),
  fc.tuple(anyText, anyText),
);

const anyFrame = fc
  .record({
    type: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 10, max: 255 })),
    flags: fc.integer({ min: 0, max: 255 }),
    stream: fc.constantFrom(0, 1, 1, 3, 2, 5, 0x7fffffff, 0x80000001),
    payload: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    length: fc.constantFrom(undefined, undefined, undefined, 0, 16_385, 0xffffff),
  })
  .map(({ type, flags, stream, payload, length }) => frame(type, flags, stream, payload, length));

const knownFrame = fc.oneof(
  fc.constantFrom(call(1), call(1, whole), call(3, flag.endStream), asked(1), asked(5)),
  fc.array(hostileHeader, { minLength: 1, maxLength: 3 }).map((more) => call(1, whole, more)),
  fc
    .tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
    .map(([id, value]) => frame(frameType.settings, 0, 0, setting(id, value))),
);

/** With a preface that is right, cut, or changed in a byte. */
const start = fc.oneof(
  { weight: 6, arbitrary: fc.constant(Buffer.concat([preface, settings])) },
  { weight: 1, arbitrary: fc.constantFrom(preface, settings) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 23 }).map((length) => preface.subarray(0, length)),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0, max: 23 }).map((at) => {
      const wrong = Buffer.from(preface);
      wrong.writeUInt8(wrong.readUInt8(at) ^ 1, at);
      return wrong;
    }),
  },
);

const byChance = fc
  .tuple(start, fc.array(fc.oneof(anyFrame, knownFrame), { maxLength: 8 }))
  .map((parts) => Buffer.concat(parts.flat()));

export const rawConnection: fc.Arbitrary<Buffer> = fc.oneof(attack, {
  weight: 2,
  arbitrary: byChance,
});
