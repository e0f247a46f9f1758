/**
 * What clients send over HTTP, and the right answer: to a function with routes, to the same by the gateway, and to
 * a plain handler. A report is one more row.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { http } from "@google-cloud/functions-framework";
import { greeter, grpc } from "#host";
import { gateway } from "../../gateway/gateway.ts";
import { graphOf } from "../../local/declared-graph.ts";
import { ask } from "../support/ask.ts";
import { openRaw } from "../support/raw.ts";
import { shop } from "../support/shop.ts";
import { startTestHost } from "../support/test-host.ts";

const closing = new AsyncDisposableStack();
after(() => closing.disposeAsync());
const root = greeter({ name: "service-a", greeting: "Hello" });
const orders = closing.use(await startTestHost(shop));
const declared = graphOf([root, shop], []);
const graph = { ...declared, nodes: [{ name: "gateway", kind: "gateway" }, ...declared.nodes] };
const entry = closing.use(
  await startTestHost(gateway({ name: "gateway", to: grpc("service-a"), graph }), {
    callees: { orders: orders.address },
  }),
);
http("echo", (request, response) => {
  const { "content-encoding": encoding = "none" } = request.headers;
  response.json({ body: request.body, encoding, raw: String(request.rawBody) });
});
const plain = closing.use(await startTestHost(undefined, { env: { FUNCTION_TARGET: "echo" } }));

const json = { "content-type": "application/json" };
const tea = '{"item":"tea"}';
const encoded = (encoding: string) => ({ ...json, "content-encoding": encoding });

interface Row {
  readonly what: string;
  readonly headers: Record<string, string>;
  readonly body: string | Buffer;
  readonly status: number;
  readonly says: RegExp;
  /** Of the answer. */
  readonly expects?: Record<string, string>;
  /** To a plain handler, where that differs: it may take any JSON. */
  readonly plain?: number;
}

const rows: readonly Row[] = [
  { what: "JSON", headers: json, body: tea, status: 201, says: /tea/, plain: 200 },
  {
    what: "JSON with a charset",
    headers: { "content-type": "application/json; charset=UTF-8" },
    body: tea,
    status: 201,
    says: /tea/,
    plain: 200,
  },
  {
    what: "JSON in gzip",
    headers: encoded("gzip"),
    body: gzipSync(tea),
    status: 201,
    says: /tea/,
    plain: 200,
  },
  {
    what: "JSON in deflate",
    headers: encoded("Deflate"),
    body: deflateSync(tea),
    status: 201,
    says: /tea/,
    plain: 200,
  },
  {
    what: "JSON in br",
    headers: encoded("br"),
    body: brotliCompressSync(tea),
    status: 201,
    says: /tea/,
    plain: 200,
  },
  {
    what: "JSON in compress",
    headers: encoded("compress"),
    body: tea,
    status: 415,
    says: /gzip, deflate, br/,
    expects: { "accept-encoding": "gzip, deflate, br" },
  },
  {
    what: "a gzip bomb",
    headers: encoded("gzip"),
    body: gzipSync(Buffer.alloc(40_000_000)),
    status: 413,
    says: /1048576 bytes/,
  },
  {
    what: "more than the limit",
    headers: json,
    body: Buffer.alloc(1_048_577, " "),
    status: 413,
    says: /1048576 bytes/,
  },
  {
    what: "bytes that are no gzip",
    headers: encoded("gzip"),
    body: tea,
    status: 400,
    says: /not gzip/,
  },
  { what: "JSON that is none", headers: json, body: "{item:1}", status: 400, says: /not JSON/ },
  {
    what: "JSON that is no UTF-8",
    headers: json,
    body: Buffer.from('{"item":"\xff"}', "latin1"),
    status: 400,
    says: /not JSON/,
  },
  {
    what: "what fails the schema",
    headers: json,
    body: "null",
    status: 400,
    says: /item|object|null/,
    plain: 200,
  },
  {
    what: "a protocol that is none",
    headers: { ...json, "x-call-protocol": "soap" },
    body: tea,
    status: 400,
    says: /declared, http, grpc/,
  },
];

for (const { what, headers, body, status, says, expects = {}, plain: other = status } of rows) {
  for (const [to, port, path, expected] of [
    ["a function", orders.port, "/api/orders", status],
    ["the gateway", entry.port, "/api/services/orders/orders", status],
    ["a plain handler", plain.port, "/", other],
  ] as const) {
    test(`${what}, to ${to}, is ${expected}`, async () => {
      const answer = await ask(port, path, { method: "POST", headers, body });
      assert.equal(answer.status, expected, answer.text);
      if (expected >= 400) {
        assert.equal(answer.headers["content-type"], "application/problem+json");
        assert.match(answer.json<{ detail: string }>().detail, says);
        assert.doesNotMatch(answer.text, /node_modules|at .*\.[tj]s/);
        for (const [name, value] of Object.entries(expects))
          assert.equal(answer.headers[name], value);
      } else if (other === status || to !== "a plain handler") assert.match(answer.text, says);
    });
  }
}

test("a plain handler gets a body without its encoding, and no header that names one", async () => {
  const answer = await ask(plain.port, "/", {
    method: "POST",
    headers: encoded("gzip"),
    body: gzipSync(tea),
  });
  assert.deepEqual(answer.json(), { body: { item: "tea" }, encoding: "none", raw: tea });
});

for (const [what, target, status] of [
  ["the absolute form", "http://localhost:8080/healthz", 200],
  ["the absolute form without a path", "http://localhost:8080", 404],
  ["the absolute form with a query alone", "http://localhost:8080?x=1", 404],
  ["the absolute form of https in capitals", "HTTPS://example.com/healthz", 200],
  ["the origin form", "/healthz?x=1", 200],
  ["two slashes", "//healthz", 404],
  ["a path that leaves the root", "/../healthz", 404],
  ["a broken escape", "/api/orders/%zz", 400],
] as const) {
  test(`a request in ${what} is answered with ${status}`, async () => {
    using raw = await openRaw(orders.port);
    raw.write(`GET ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
    assert.match(await raw.closed, new RegExp(`^HTTP/1.1 ${status} `));
  });
}

for (const [accept, type] of [
  ["application/openmetrics-text;q=0,text/plain", "text/plain"],
  [
    "application/openmetrics-text; version=1.0.0; q=0.5, text/plain;q=0.4",
    "application/openmetrics-text",
  ],
  ["text/plain;q=0.5, application/openmetrics-text;q=0.4", "text/plain"],
  ["*/*", "text/plain"],
  ["text/html", "text/plain"],
] as const) {
  test(`metrics for Accept: ${accept} are ${type}`, async () => {
    const { headers } = await ask(orders.port, "/metrics", { headers: { accept } });
    assert.ok(String(headers["content-type"]).startsWith(type), headers["content-type"]);
  });
}
