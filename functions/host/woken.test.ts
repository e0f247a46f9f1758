/** How a function answers GET /wake. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as framework from "@google-cloud/functions-framework";
import { greeter, handler } from "#host";
import { ask } from "../test/support/ask.ts";
import { testFunction } from "../test/support/test-function.ts";
import { startTestHost } from "../test/support/test-host.ts";
import { until } from "../test/support/until.ts";

framework.http("plain", (_request, response) => void response.send("plain"));

const defined = greeter({ name: "woken", greeting: "hi" });

for (const [what, definition] of [
  ["a function", defined],
  ["a plain handler", undefined],
] as const) {
  test(`${what} answers a wake with 204, which is no request: neither counted nor logged`, async () => {
    await using host = await startTestHost(definition, { env: { FUNCTION_TARGET: "plain" } });
    const { status, text } = await ask(host.port, "/wake");
    assert.deepEqual([status, text], [204, ""]);
    assert.doesNotMatch((await ask(host.port, "/metrics")).text, /_duration_seconds_count\{/);
    assert.doesNotMatch((await ask(host.port, "/metrics")).text, /faas_coldstarts_total\S* [1-9]/);
    assert.deepEqual(
      host.logs.filter(({ msg }) => msg.includes("/wake")),
      [],
    );
  });
}

test("a wake is answered while requests are refused", async () => {
  const { promise, resolve: release } = Promise.withResolvers<void>();
  let entered = 0;
  const slow = testFunction({
    async greetings() {
      entered++;
      await promise;
      return [];
    },
  });
  await using host = await startTestHost(slow, { env: { MAX_CONCURRENT_REQUESTS: "1" } });
  const waiting = ask(host.port);
  await until("one is under way", () => entered === 1);
  assert.equal((await ask(host.port)).status, 503);
  assert.equal((await ask(host.port, "/wake")).status, 204);
  release();
  assert.equal((await waiting).status, 200);
});

for (const [path, options] of [
  ["/wake", { method: "POST" }],
  ["/wake/", {}],
  ["/wake/api/greeting", {}],
  ["/x/wake", {}],
] as const) {
  test(`${path} ${JSON.stringify(options)} is no wake`, async () => {
    await using host = await startTestHost(defined);
    assert.equal((await ask(host.port, path, options)).status, 404);
  });
}

test("a route of a function's own at /wake is a problem of its declaration", () => {
  const { problems } = handler({
    name: "own",
    routes: { "GET /wake": { handle: async () => undefined } },
  });
  assert.deepEqual(problems, ['routes "GET /wake": /wake is the host\'s own']);
});
