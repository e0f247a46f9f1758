import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "../../test/support/ask.ts";
import { openRaw } from "../../test/support/raw.ts";
import { testFunction } from "../../test/support/test-function.ts";
import { startTestHost } from "../../test/support/test-host.ts";

const limit = 1_000;
const env = { BODY_LIMIT_BYTES: String(limit) };
let handled = 0;

const tested = testFunction({
  routes: [
    { method: "GET", path: "/", handle: async () => ({ status: 200, body: { said: "hello" } }) },
    {
      method: "POST",
      path: "/",
      handle: async ({ body }) => {
        handled++;
        return { status: 200, body: body.bytes };
      },
    },
    { method: "POST", path: "/only-post", handle: async () => ({ status: 204 }) },
    {
      method: "GET",
      path: "/failing",
      handle: async () => {
        throw new TypeError("password=hunter2");
      },
    },
    {
      method: "GET",
      path: "/endless",
      handle: ({ call }) =>
        new Promise((_, reject) => {
          call.signal.addEventListener("abort", () => reject(call.signal.reason));
        }),
    },
  ],
});

for (const [method, path, status, code, headers] of [
  ["GET", "/nowhere", 404, "ERR_NOT_FOUND", {}],
  ["GET", "//", 404, "ERR_NOT_FOUND", {}],
  ["GET", "//host/failing", 404, "ERR_NOT_FOUND", {}],
  ["PUT", "/", 405, "ERR_METHOD", { allow: "GET, HEAD, POST" }],
  ["GET", "/only-post", 405, "ERR_METHOD", { allow: "POST" }],
  ["OPTIONS", "/only-post", 405, "ERR_METHOD", { allow: "POST" }],
  ["GET", "/failing", 500, "ERR_INTERNAL", {}],
] as const) {
  test(`${method} ${path} is answered with ${status}, as a problem with code ${code}`, async () => {
    await using host = await startTestHost(tested, { env });
    const answer = await ask(host.port, path, { method });
    assert.equal(answer.status, status);
    assert.equal(answer.headers["content-type"], "application/problem+json");
    assert.partialDeepStrictEqual(answer.json(), { status, code });
    assert.partialDeepStrictEqual(answer.headers, headers);
    assert.doesNotMatch(answer.text, /hunter2/);
  });
}

test("no browser takes an answer for something else than it says it is", async () => {
  await using host = await startTestHost(tested, { env });
  for (const path of [
    "/",
    "/nowhere",
    "/failing",
    "/healthz",
    "/readyz",
    "/metrics",
    "//<script>",
  ]) {
    const { headers } = await ask(host.port, path);
    assert.equal(headers["x-content-type-options"], "nosniff", path);
  }
});

test("what failed unexpectedly is in the log, with its stack", async () => {
  await using host = await startTestHost(tested, { env });
  await ask(host.port, "/failing", { headers: { "x-request-id": "r1" } });
  const line = host.logs.find(({ msg }) => msg === "failed unexpectedly");
  assert.equal(line?.requestId, "r1");
  assert.match(JSON.stringify(line?.err), /hunter2.*server\.test\.ts/);
});

test("a body that says it is too large is refused before it is asked for", async () => {
  await using host = await startTestHost(tested, { env });
  const before = handled;
  using raw = await openRaw(host.port);
  raw.write(
    `POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: ${limit + 1}\r\n\r\n`,
  );
  const said = await raw.closed;
  assert.match(said, /^HTTP\/1\.1 413 /);
  assert.match(said, /"code":"ERR_TOO_LARGE"/);
  assert.equal(handled, before);
});

test("a body within the limit is asked for and taken", async () => {
  await using host = await startTestHost(tested, { env });
  using raw = await openRaw(host.port);
  const body = "x".repeat(limit);
  raw.write(
    `POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: ${limit}\r\n\r\n`,
  );
  raw.write(body);
  const said = await raw.closed;
  assert.match(said, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
  assert.ok(said.endsWith(body));
});

for (const [how, headers] of [
  ["a length", {}],
  ["chunks", { "transfer-encoding": "chunked" }],
] as const) {
  test(`a client that sends far too much by ${how} still reads its 413`, async () => {
    await using host = await startTestHost(tested, { env });
    const before = handled;
    const answer = await ask(host.port, "/", { headers, body: Buffer.alloc(5_000_000) });
    assert.equal(answer.status, 413);
    assert.equal(answer.json().code, "ERR_TOO_LARGE");
    assert.equal(handled, before);
  });
}

for (const [type, body, status] of [
  ["application/json", "{oops", 400],
  ["application/json; charset=utf-8", "{oops", 400],
  ["application/cloudevents+json", "{oops", 400],
  ["application/json", "{}", 200],
  ["application/json", "", 200],
  ["text/plain", "{oops", 200],
] as const) {
  test(`${JSON.stringify(body)} as ${type} is answered with ${status}`, async () => {
    await using host = await startTestHost(tested, { env });
    const answer = await ask(host.port, "/", { headers: { "content-type": type }, body });
    assert.equal(answer.status, status);
    if (status === 400)
      assert.match(answer.text, /"detail":"the body is not JSON: .*"ERR_BAD_REQUEST"/);
    else assert.equal(answer.text, body);
  });
}

test("HEAD is answered as GET is, without the content", async () => {
  await using host = await startTestHost(tested, { env });
  for (const path of ["/", "/healthz", "/readyz", "/nowhere"]) {
    const get = await ask(host.port, path);
    const head = await ask(host.port, path, { method: "HEAD" });
    assert.equal(head.status, get.status, path);
    assert.equal(head.headers["content-length"], get.headers["content-length"], path);
    assert.equal(head.text, "");
  }
});

test("a request's id is echoed, and made where there is none", async () => {
  await using host = await startTestHost(tested, { env });
  const given = await ask(host.port, "/", { headers: { "x-request-id": "r1" } });
  assert.equal(given.headers["x-request-id"], "r1");
  const [one, other] = await Promise.all([ask(host.port), ask(host.port)]);
  assert.match(String(one.headers["x-request-id"]), /^[\da-f-]{36}$/);
  assert.notEqual(one.headers["x-request-id"], other.headers["x-request-id"]);
});

test("the time that a client allows, where it is less than the host's, is its deadline", async () => {
  await using host = await startTestHost(tested, { env: { ...env, DEADLINE_MS: "60000" } });
  const answer = await ask(host.port, "/endless", { headers: { "grpc-timeout": "20m" } });
  assert.equal(answer.status, 504);
  assert.equal(answer.json().detail, "no answer within 20 ms");
});

test("a client cannot allow more time than the host does", async () => {
  await using host = await startTestHost(tested, { env: { ...env, DEADLINE_MS: "20" } });
  for (const timeout of ["1H", "nonsense"]) {
    const answer = await ask(host.port, "/endless", { headers: { "grpc-timeout": timeout } });
    assert.equal(answer.json().detail, "no answer within 20 ms");
  }
});

for (const [form, status] of [
  ["http://localhost:8080/healthz", 200],
  ["HTTP://example.com/", 200],
  ["http://example.com", 200],
  ["http://example.com?q=1", 200],
  ["http://example.com/nowhere", 404],
] as const) {
  test(`a request for ${form}, as to a proxy, is answered with ${status}`, async () => {
    await using host = await startTestHost(tested, { env });
    assert.equal((await ask(host.port, form)).status, status);
  });
}
