/** What a plain functions-framework handler can do wrong: each is answered as a problem, and the process lives. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cloudEvent, http } from "@google-cloud/functions-framework";
import { ask } from "../test/support/ask.ts";
import { startTestHost } from "../test/support/test-host.ts";

const env = { DEADLINE_MS: "500" };

http("throws", () => {
  throw new Error("secret");
});
http("rejects", async () => {
  throw new Error("secret");
});
http("throws-later", () => {
  setTimeout(() => {
    throw new Error("secret");
  }, 1);
});
http("answers-twice", (_, response) => {
  response.send("first");
  response.send("second");
});
http("never-answers", () => {});
http("answers-late", (_, response) => {
  setTimeout(() => response.json({ late: true }), 700);
});
http("own-error", (_, response) => {
  response.status(503).send("<p>closed</p>");
});
cloudEvent("event-throws", () => {
  throw new Error("secret");
});

const binary = {
  ...{ "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" },
  "content-type": "application/json",
};

for (const [name, method, headers, status, code] of [
  ["throws", "GET", {}, 500, "ERR_INTERNAL"],
  ["rejects", "GET", {}, 500, "ERR_INTERNAL"],
  ["throws-later", "GET", {}, 500, "ERR_INTERNAL"],
  ["never-answers", "GET", {}, 504, "ERR_DEADLINE"],
  ["never-answers", "POST", {}, 504, "ERR_DEADLINE"],
  ["answers-late", "GET", {}, 504, "ERR_DEADLINE"],
  ["event-throws", "POST", binary, 500, "ERR_INTERNAL"],
  ["event-throws", "GET", {}, 405, "ERR_METHOD"],
  [
    "never-answers",
    "POST",
    { "content-type": "text/plain", "content-encoding": "x" },
    415,
    "ERR_MEDIA_TYPE",
  ],
  ["never-answers", "POST", { "content-type": "text/plain; charset=x" }, 415, "ERR_MEDIA_TYPE"],
] as const) {
  test(`${name}: ${method} is ${status}, as a problem without internals`, async () => {
    await using host = await startTestHost(undefined, { env: { ...env, FUNCTION_TARGET: name } });
    const body = method === "POST" ? "{}" : undefined;
    const answer = await ask(host.port, "/", { method, headers, ...(body && { body }) });
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.headers["content-type"], "application/problem+json");
    assert.equal(answer.json().code, code);
    assert.doesNotMatch(answer.text, /secret|html|node_modules/);
    assert.equal(answer.headers["x-powered-by"], undefined);
    assert.equal((await ask(host.port, "/readyz")).status, 200);
  });
}

test("what a handler answers by itself stays as it is, errors too", async () => {
  const target = { FUNCTION_TARGET: "own-error" };
  await using host = await startTestHost(undefined, { env: { ...env, ...target } });
  const answer = await ask(host.port);
  assert.deepEqual([answer.status, answer.text], [503, "<p>closed</p>"]);
});

test("of two answers the first counts", async () => {
  const target = { FUNCTION_TARGET: "answers-twice" };
  await using host = await startTestHost(undefined, { env: { ...env, ...target } });
  for (let i = 0; i < 3; i++) assert.equal((await ask(host.port)).text, "first");
});
