import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "../../test/support/ask.ts";
import { testFunction } from "../../test/support/test-function.ts";
import { startTestHost } from "../../test/support/test-host.ts";

const tested = testFunction({
  routes: [{ method: "GET", path: "/", handle: async () => ({ status: 200, body: {} }) }],
});
const origin = "https://ui.example-api.com";
const allowOrigin = "access-control-allow-origin";

function preflight(port: number, from: string) {
  const headers = {
    origin: from,
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type, traceparent",
  };
  return ask(port, "/", { method: "OPTIONS", headers });
}

test("an allowed page may read the answer, its trace and its request id, also of an error", async () => {
  await using host = await startTestHost(tested, {
    env: { CORS_ORIGINS: `http://other, ${origin}` },
  });
  for (const path of ["/", "/nowhere", "/readyz"]) {
    const { headers } = await ask(host.port, path, { headers: { origin } });
    assert.equal(headers[allowOrigin], origin);
    assert.equal(headers["access-control-expose-headers"], "traceresponse, x-request-id");
    assert.equal(headers.vary, "origin");
  }
});

test("an allowed page's preflight is answered with what it asked for", async () => {
  await using host = await startTestHost(tested, { env: { CORS_ORIGINS: origin } });
  const { status, headers } = await preflight(host.port, origin);
  assert.equal(status, 204);
  assert.equal(headers[allowOrigin], origin);
  const methods = "GET, HEAD, POST, PUT, PATCH, DELETE";
  assert.equal(headers["access-control-allow-methods"], methods);
  assert.equal(headers["access-control-allow-headers"], "content-type, traceparent");
});

for (const [configured, from] of [
  [origin, "https://evil.example"],
  [origin, `${origin}.evil.example`],
  ["", origin],
] as const) {
  test(`with "${configured}" a page of ${from} may read nothing, and its preflight fails`, async () => {
    await using host = await startTestHost(tested, { env: { CORS_ORIGINS: configured } });
    const answer = await ask(host.port, "/", { headers: { origin: from } });
    assert.equal(answer.headers[allowOrigin], undefined);
    const refused = await preflight(host.port, from);
    assert.equal(refused.status, 405);
    assert.equal(refused.headers[allowOrigin], undefined);
  });
}

test("with * every page may", async () => {
  await using host = await startTestHost(tested, { env: { CORS_ORIGINS: "*" } });
  assert.equal((await preflight(host.port, "https://any.example")).headers[allowOrigin], "*");
});
