/** Header lines of HTTP/1.1: of framing, which decides where a request ends, and of everything that a function reads. */
import fc from "fast-check";

/** Any bytes, as the characters of Latin-1. */
export const bytes = fc
  .uint8Array({ maxLength: 60 })
  .map((array) => Buffer.from(array).toString("latin1"));

export const anyText = fc.oneof(bytes, fc.string({ maxLength: 40 }));

const lengths = [
  "0",
  "5",
  "+5",
  "-1",
  "-0",
  "0x5",
  "5, 5",
  "5,6",
  "5 5",
  " 5",
  "5\x0b",
  "٥",
  "1e1",
  "",
];
const codings = ["chunked", "Chunked", "chunked, chunked", "identity", "gzip, chunked", "xchunked"];
const framing = [
  ...[...lengths, "9".repeat(30), "1048577", "1073741825"].map((n) => `content-length: ${n}`),
  ...[
    ...codings,
    "chunked, identity",
    "chunked\x0b",
    " chunked",
    '"chunked"',
    "chunked;q=1",
    "",
    "gzip",
  ].map((coding) => `transfer-encoding: ${coding}`),
  ...[
    "content-length : 5",
    "content-length\t: 5",
    " content-length: 5",
    "transfer-encoding : chunked",
  ],
  ...["x: y\ncontent-length: 5", "x: y\rtransfer-encoding: chunked", "transfer_encoding: chunked"],
  ...[
    "x: y\n\ntransfer-encoding: chunked",
    "transfer-encoding:\r\n chunked",
    "content-length: 5\0",
  ],
];

const others = [
  ...["host: b", "host:", "host: a b", "host: a/../b", "host: [::1", "host: a@b", "Host: \xff"],
  ...["no colon", ": empty name", "x\0y: z", "x: \0", "x: \x7f", "x y: z", "x: \r y", "ü: x"],
  ...[
    "expect: 100-continue",
    "expect: 200-ok",
    "expect: ",
    "connection: upgrade",
    "connection: close",
  ],
  ...[
    "upgrade: h2c",
    "upgrade: websocket",
    "http2-settings: AAMAAABkAAQAAP__",
    "connection: host, te",
  ],
  ...[
    "te: trailers",
    "trailer: host",
    "range: bytes=0-0,-1",
    "range: bytes=9999999999-",
    "if-match: *",
  ],
  ...[
    "content-type: application/json",
    "content-type: ;;;",
    "content-type: application/cloudevents+json",
  ],
  ...["content-type: text/plain; charset=nonsense", "content-type: multipart/form-data; boundary="],
  ...["content-encoding: gzip", "content-encoding: br, gzip", "content-encoding: nonsense"],
  ...[
    "accept: */*;q=9",
    "accept: application/openmetrics-text;q=0,,,",
    `accept: ${",".repeat(4_000)}`,
  ],
  ...["grpc-timeout: 99999999999H", "grpc-timeout: -1S", "grpc-timeout: 1n", "grpc-timeout: NaN"],
  ...[
    "traceparent: 00-0-0-0",
    `traceparent: ff-${"0".repeat(32)}-${"0".repeat(16)}-01`,
    "b3: 0-0-9",
  ],
  ...[
    "x-request-id: \xfc\xe9",
    `x-request-id: ${"r".repeat(9_000)}`,
    `baggage: ${"a=b,".repeat(2_000)}`,
  ],
  ...["x-call-protocol: telnet", "x-call-protocol: grpc", "x-log-level: debug", "x-fault: a=b"],
  ...[
    "grpc-trace-bin: !!!",
    "origin: null",
    "origin: http://evil",
    "access-control-request-method: X",
  ],
  ...[
    "ce-id: 1",
    "ce-specversion: 1.0",
    "ce-type: t",
    "ce-source: /s",
    "ce-time: x",
    "ce-: x",
    "ce-ü: x",
  ],
  ...[
    "cookie: a",
    "authorization: Basic !!!",
    "x-forwarded-host: evil",
    "x-http-method-override: DELETE",
  ],
  ...[
    "__proto__: x",
    "constructor: x",
    "tostring: x",
    `x: ${"y".repeat(17_000)}`,
    `${"n".repeat(9_000)}: x`,
  ],
];

/** One line, or many. */
export const header = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...framing) },
  { weight: 5, arbitrary: fc.constantFrom(...others) },
  { weight: 1, arbitrary: fc.tuple(anyText, anyText).map((pair) => pair.join(": ")) },
  {
    weight: 1,
    // More than Node counts by default, and more than fit in what it reads.
    arbitrary: fc.constantFrom(90, 1_500, 2_100, 4_000).map((n) => "a:\r\n".repeat(n).slice(0, -2)),
  },
);
