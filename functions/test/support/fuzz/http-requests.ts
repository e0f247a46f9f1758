/** Requests of HTTP/1.1 as bytes: right ones, broken ones, and those that two servers read differently. */
import fc from "fast-check";
import { anyText, bytes, header } from "./http-headers.ts";

export interface RawRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly string[];
  readonly newline: string;
  /** Of the body, each in a packet of its own. */
  readonly pieces: readonly string[];
}

const method = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS") },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...["get", "TRACE", "CONNECT", "PROPFIND", "M-SEARCH", "QUERY", "PRI", "SOURCE", "BREW"],
      ...["", "G ET", "GET\0", "GET\t", "GËT", "\r\nGET", `${"A".repeat(9_000)}`],
    ),
  },
  { weight: 1, arbitrary: anyText },
);

const path = fc.constantFrom(
  ...["/", "/api/greeting", "/api/messages", "/api/messages?limit=5", "/healthz", "/metrics"],
);

export const hostileTarget = fc.constantFrom(
  ...[
    "",
    "*",
    "//",
    "//evil.example/x",
    "/..",
    "/../../../../etc/passwd",
    "/..%2f..%2fetc%2fpasswd",
  ],
  ...[
    "/%2e%2e/%2e%2e/etc/passwd",
    "/api%2fgreeting",
    "/api/%2e/greeting",
    "/api//greeting",
    "\\..\\x",
  ],
  ...[
    "/%",
    "/%ff%fe",
    "/%00",
    "/api/greeting%00.html",
    "/\xff\xfe",
    "/api/messages?limit=-1",
    "/#x",
  ],
  ...[
    "/api/messages?limit=1e9",
    "/api/messages?limit=%ff",
    "/api/messages?limit=1&limit=2",
    "/?%%",
  ],
  ...[
    "/__proto__",
    "/constructor",
    "/healthz/..;/metrics",
    "/;a=b",
    "/api/greeting?x[__proto__]=1",
  ],
  ...["http://localhost/api/greeting", "http://user:pw@evil/api/greeting", "https://", "http:///"],
  ...["ftp://evil/x", "evil:80", "http://[::1", "/a b", "/\t", "/\0", `/${"a/".repeat(3_000)}`],
  ...[`/?${"x=1&".repeat(3_000)}`, `/${"a".repeat(20_000)}`, `/${"%2e".repeat(2_000)}`],
);

const target = fc.oneof(
  { weight: 4, arbitrary: path },
  { weight: 4, arbitrary: hostileTarget },
  { weight: 2, arbitrary: anyText.map((text) => `/${text}`) },
  { weight: 1, arbitrary: anyText },
);

const version = fc.oneof(
  { weight: 8, arbitrary: fc.constant("HTTP/1.1") },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...[
        "HTTP/1.0",
        "HTTP/0.9",
        "HTTP/2.0",
        "HTTP/1.2",
        "HTTP/1.10",
        "http/1.1",
        "HTTP/1",
        "",
        "X",
      ],
      ...["HTTP/1.1 ", "ICE/1.0", "HTTP/9.9"],
    ),
  },
);

const chunk = fc.constantFrom(
  ...[
    "5\r\nhello\r\n",
    "0\r\n\r\n",
    "5\r\nhello\r\n0\r\n\r\n",
    "0\r\nhost: evil\r\n\r\n",
    "5\nhello\n",
  ],
  ...[
    "fffffffffffffffff\r\n",
    "-1\r\nx\r\n",
    "0x5\r\nhello\r\n",
    '5;ext="\nhello\r\n',
    " 5\r\nhello\r\n",
  ],
  ...[
    "5\r\nhelloX\r\n",
    "00000000000000005\r\nhello\r\n",
    `5;${"x".repeat(20_000)}\r\nhello\r\n`,
    "\r\n",
  ],
  ...[
    "5\rhello\r\n",
    "1e1\r\n0123456789\r\n",
    "g\r\nx\r\n",
    "100000\r\nshort",
    "5\r\nhello0\r\n\r\n",
  ],
);

const body = fc.oneof(
  chunk,
  fc.constantFrom("hello", "{}", "null", '{"a":', "[".repeat(5_000), "x".repeat(70_000)),
  fc.constantFrom(
    "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n",
    "POST /smuggled HTTP/1.1\r\nhost: a\r\n",
  ),
  bytes,
);

export const rawRequest: fc.Arbitrary<RawRequest> = fc.record({
  method,
  target,
  version,
  headers: fc
    .tuple(
      fc.constantFrom(["host: a"], ["host: a"], ["host: a"], []),
      fc.array(header, { maxLength: 5 }),
    )
    .map(([host, rest]) => [...host, ...rest]),
  newline: fc.oneof(
    { weight: 12, arbitrary: fc.constant("\r\n") },
    { weight: 1, arbitrary: fc.constantFrom("\n", "\r", "\r\n\r\n", "\n\r", "\0") },
  ),
  pieces: fc.array(body, { maxLength: 4 }),
});

/** Its head, and the pieces of its body. */
export function packetsOf({
  method,
  target,
  version,
  headers,
  newline,
  pieces,
}: RawRequest): Buffer[] {
  const line = [method, target, version].join(" ");
  const head = [line, ...headers, "", ""].join(newline);
  return [head, ...pieces].map((text) => Buffer.from(text, "latin1"));
}
