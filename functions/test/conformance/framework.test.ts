/**
 * The contract of every functions framework (GoogleCloudPlatform/functions-framework, "Functions Framework contract"):
 * what a function does as our own container entry starts it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cloudEvent, http } from "@google-cloud/functions-framework";
import { greeter } from "#host";
import { freePort } from "../../local/ports.ts";
import { ask } from "../support/ask.ts";
import { load } from "../support/load.ts";
import { startTestHost } from "../support/test-host.ts";

const events: unknown[] = [];
let running = 0;
let most = 0;
http("http-handler", async (request, response) => {
  most = Math.max(most, ++running);
  await new Promise((resolve) => setTimeout(resolve, 50));
  running--;
  response.json({ path: request.path, method: request.method });
});
cloudEvent("event-handler", (event: unknown) => void events.push(event));

const start = (target: string) => startTestHost(undefined, { env: { FUNCTION_TARGET: target } });

test("it listens on PORT (Lifecycle)", async () => {
  const port = await freePort();
  await using host = await startTestHost(greeter({ name: "a", greeting: "x" }), {
    env: { PORT: String(port) },
  });
  assert.equal(host.port, port);
  assert.equal((await ask(port)).status, 200);
});

test("it serves the function that FUNCTION_TARGET names (Configuration)", async () => {
  await using host = await start("http-handler");
  assert.deepEqual((await ask(host.port, "/x")).json(), { path: "/x", method: "GET" });
});

test("a function of HTTP gets every path and method but robots.txt and favicon.ico (URL space)", async () => {
  await using host = await start("http-handler");
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
    for (const path of ["/", "/a/b", "/a%2Fb"]) {
      const answer = await ask(host.port, path, { method });
      assert.deepEqual(answer.json(), { path, method });
    }
  }
  for (const path of ["/robots.txt", "/favicon.ico"]) {
    assert.equal((await ask(host.port, path)).status, 404, path);
  }
});

test("it processes requests at the same time (Lifecycle, concurrency)", async () => {
  await using host = await start("http-handler");
  await load(() => ask(host.port), { requests: 10, concurrency: 10 });
  assert.ok(most > 1, `at most ${most} at a time`);
});

const attributes = { specversion: "1.0", id: "1", source: "/s", type: "t" };
for (const [mode, headers, body] of [
  [
    "binary",
    {
      ...{ "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" },
      "content-type": "application/json",
    },
    '{"a":1}',
  ],
  [
    "structured",
    { "content-type": "application/cloudevents+json" },
    JSON.stringify({ ...attributes, datacontenttype: "application/json", data: { a: 1 } }),
  ],
] as const) {
  test(`a function of CloudEvents gets an event in ${mode} mode, and the sender a success (CloudEvents)`, async () => {
    await using host = await start("event-handler");
    const answer = await ask(host.port, "/", { headers, body });
    assert.ok(answer.status >= 200 && answer.status < 300, answer.text);
    assert.partialDeepStrictEqual(events.at(-1), { ...attributes, data: { a: 1 } });
  });
}
