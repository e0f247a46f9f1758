/** Requests that two servers in a row would read differently, and what node:http would answer by itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "../../test/support/ask.ts";
import { answersIn, assertOurs, exchange } from "../../test/support/fuzz/answers.ts";
import { openRaw } from "../../test/support/raw.ts";
import { testFunction } from "../../test/support/test-function.ts";
import { startTestHost } from "../../test/support/test-host.ts";

const released = Promise.withResolvers<void>();
const echo = testFunction({
  routes: [
    { method: "GET", path: "/", handle: async () => ({ body: { said: "hello" } }) },
    { method: "POST", path: "/", handle: async ({ body }) => ({ body: body.bytes }) },
    {
      method: "GET",
      path: "/slow",
      handle: () => released.promise.then(() => ({ body: { said: "slow" } })),
    },
  ],
});
const smuggled = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";
const chunked = "transfer-encoding: chunked";
const bytes = (text: string) => Buffer.from(text, "latin1");
const post = (...lines: string[]) => ["POST / HTTP/1.1", "host: a", ...lines].join("\r\n");

for (const [what, sent, status = 400] of [
  ["a length and chunks", post("content-length: 6", chunked, "", `0\r\n\r\n${smuggled}`)],
  ["chunks and a length", post(chunked, "content-length: 6", "", `0\r\n\r\n${smuggled}`)],
  ["two lengths", post("content-length: 0", "content-length: 40", "", smuggled)],
  ["the same length twice", post("content-length: 5", "content-length: 5", "", `hello${smuggled}`)],
  ["a list of lengths", post("content-length: 5, 5", "", `hello${smuggled}`)],
  ["a length with a sign", post("content-length: +5", "", `hello${smuggled}`)],
  ["a length below 0", post("content-length: -5", "", `hello${smuggled}`)],
  ["a hexadecimal length", post("content-length: 0x5", "", `hello${smuggled}`)],
  ["a length of no digits", post("content-length: ", "", smuggled)],
  ["a length over 64 bits", post(`content-length: ${"9".repeat(30)}`, "", smuggled)],
  ["a length before a blank and the colon", post("content-length : 5", "", `hello${smuggled}`)],
  ["a length behind a bare line feed", post("x: y\ncontent-length: 40", "", smuggled)],
  ["a coding behind a bare carriage return", post(`x: y\r${chunked}`, "", smuggled)],
  ["a folded coding", post("transfer-encoding:", " chunked", "", `0\r\n\r\n${smuggled}`)],
  [
    "chunked, and not as the last coding",
    post("transfer-encoding: chunked, identity", "", smuggled),
  ],
  ["a coding with a vertical tab", post("transfer-encoding: chunked\x0b", "", smuggled)],
  ["a coding in quotes", post('transfer-encoding: "chunked"', "", smuggled)],
  ["a coding that is misspelt", post("transfer-encoding: xchunked", "", smuggled)],
  ["a chunk's size with a sign", post(chunked, "", `+5\r\nhello\r\n0\r\n\r\n${smuggled}`)],
  ["a chunk's size over 64 bits", post(chunked, "", `${"f".repeat(17)}\r\n${smuggled}`)],
  ["a chunk's size before a line feed", post(chunked, "", `5\nhello\r\n0\r\n\r\n${smuggled}`)],
  ["a chunk that is longer than it says", post(chunked, "", `5\r\nhelloX\r\n0\r\n\r\n${smuggled}`)],
  ["a line feed in a chunk's extension", post(chunked, "", `5;a\nhello\r\n0\r\n\r\n${smuggled}`)],
  ["a NUL in a header", post("x: a\0b", "", smuggled)],
  ["a header without a colon", post("x", "", smuggled)],
  ["a header without a name", post(": x", "", smuggled)],
  ["two hosts", post("host: b", "", smuggled)],
  ["no host", `GET / HTTP/1.1\r\n\r\n${smuggled}`],
  ["two hosts of HTTP/1.0", `GET / HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n${smuggled}`],
  ["two hosts behind 2,000 headers", post(...Array(2_050).fill("a:"), "host: b", "", smuggled)],
  ["headers over the limit", post(`x: ${"y".repeat(70_000)}`, "", smuggled), 431],
  ["chunk extensions over the limit", post(chunked, "", `5;${"x".repeat(20_000)}\r\n`), 413],
  ["an expectation of another kind", post("expect: 200-ok", "", smuggled), 417],
  ["data behind the last request", "GET / HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\nrubbish"],
  ["another major version", "GET / HTTP/2.0\r\nhost: a\r\n\r\n", 505],
  ["what is no HTTP", "hello\r\n\r\n"],
] as const) {
  test(`${what} is refused as a problem, and what follows is not read as a request`, async () => {
    await using host = await startTestHost(echo);
    const answers = answersIn(await exchange(host.port, [bytes(sent)]));
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [status],
    );
    for (const answer of answers) {
      assertOurs(answer);
      assert.match(answer.head, /^connection: close$/m);
    }
    assert.doesNotMatch(JSON.stringify(host.logs), /smuggled/);
    assert.equal((await ask(host.port)).status, 200);
  });
}

test("HTTP/1.0 needs no host", async () => {
  await using host = await startTestHost(echo);
  const [answer] = answersIn(await exchange(host.port, [bytes("GET / HTTP/1.0\r\n\r\n")]));
  assert.equal(answer?.status, 200);
});

test("a request's answer comes whole before the refusal of the bytes behind it", async () => {
  await using host = await startTestHost(echo);
  using raw = await openRaw(host.port);
  raw.write("GET /slow HTTP/1.1\r\nhost: a\r\n\r\nrubbish\r\n\r\n");
  // By then its bytes have been read: a connection of its own has been served.
  await ask(host.port);
  released.resolve();
  const answers = answersIn(Buffer.from(await raw.closed, "latin1"));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 400],
  );
  assert.equal(answers[0]?.body, '{"said":"slow"}');
});
