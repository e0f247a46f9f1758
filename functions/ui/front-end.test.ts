import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { freePort } from "../local/ports.ts";
import { ask } from "../test/support/ask.ts";
import { followEvents } from "../test/support/event-source.ts";
import { startTestHost } from "../test/support/test-host.ts";
import { until } from "../test/support/until.ts";
import graph from "./graph.json" with { type: "json" };
import ui from "./index.ts";
import type { LiveGraph, PageSettings } from "./live.ts";
import { loadPage } from "./page-files.ts";
import { gatewayOf, refuseForeignPages } from "./security.ts";

test("with neither the local run nor Prometheus, the page shows the declared graph", async () => {
  await using host = await startTestHost(ui);
  const get = async <Body>(path: string) => (await ask(host.port, path)).json<Body>();
  const live = await get<LiveGraph>("/api/graph/live");
  assert.equal(live.source, "none");
  assert.deepEqual(
    live.nodes.map(({ name, kind }) => ({ name, kind })),
    graph.nodes,
  );
  const { control, deadLetters, traceUrl, kialiUrl } = await get<PageSettings>("/api/page");
  assert.deepEqual([control, deadLetters, traceUrl, kialiUrl], [false, false, null, null]);
  assert.deepEqual(await get("/api/traces?node=service-a"), { traces: [] });
});

test("nothing can be stopped where there is no local run", async () => {
  await using host = await startTestHost(ui);
  for (const path of ["stop", "start"]) {
    const answer = await ask(host.port, `/api/functions/service-a/${path}`, { method: "POST" });
    assert.equal(answer.status, 404);
  }
  assert.equal((await ask(host.port, "/api/functions/service-a/logs")).status, 404);
  assert.equal((await ask(host.port, "/api/live/dead-letters")).status, 404);
});

test("the page's settings say where Jaeger, Kiali and the gateway are", async () => {
  const env = {
    JAEGER_URL: "https://jaeger.example-api.com/",
    KIALI_URL: "https://kiali.example-api.com/kiali",
    GATEWAY_ORIGIN: "https://api.example-api.com",
  };
  await using host = await startTestHost(ui, { env });
  const page = await ask(host.port, "/api/page");
  assert.partialDeepStrictEqual(page.json(), {
    gateway: env.GATEWAY_ORIGIN,
    traceUrl: "https://jaeger.example-api.com/trace/{traceId}",
    kialiUrl: env.KIALI_URL,
  });
});

test("the graph's events end when draining begins, after one at least", async () => {
  await using host = await startTestHost(ui);
  await using events = await followEvents(`http://${host.address}/api/graph/events`);
  await until("an event", () => events.of("graph").length > 0);
  await host.close();
  assert.equal(await events.ended, "end");
});

test("a local run that has gone is a callee that is away", async () => {
  await using host = await startTestHost(ui, {
    env: { LIVE_URL: `http://127.0.0.1:${await freePort()}` },
  });
  const answer = await ask(host.port, "/api/graph/live");
  assert.equal(answer.status, 503);
  assert.match(answer.text, /the local run: .*ECONNREFUSED/);
});

test("a file of the page is sent whole, gzipped, or not at all where it is known", async () => {
  const folder = await mkdtemp(join(tmpdir(), "page-"));
  try {
    const text = "console.log(1);".repeat(100);
    await writeFile(join(folder, "app.js"), text);
    const page = await loadPage(folder);
    const whole = page("app.js", {});
    assert.equal(whole?.status, 200);
    assert.deepEqual(whole.body, Buffer.from(text));
    assert.equal(whole.headers?.["content-type"], "text/javascript; charset=utf-8");
    const zipped = page("app.js", { "accept-encoding": "br, gzip" });
    assert.equal(zipped?.headers?.["content-encoding"], "gzip");
    assert.equal(gunzipSync(zipped?.body as Buffer).toString(), text);
    const etag = whole.headers?.etag ?? "";
    assert.equal(zipped?.headers?.etag, etag);
    const known = page("app.js", { "if-none-match": `"other", ${etag}` });
    assert.deepEqual([known?.status, known?.body], [304, undefined]);
    assert.equal(page("../package.json", {}), undefined);
  } finally {
    await rm(folder, { recursive: true });
  }
});

for (const [host, forwarded, gateway] of [
  ["ui.dev.example-api.com", "https", "https://api.dev.example-api.com"],
  ["ui.dev.example-api.com:8080", undefined, "http://api.dev.example-api.com:8080"],
  ["localhost:9000", undefined, "http://localhost:9000"],
  ["a;script-src *", undefined, "http://localhost"],
] as const) {
  test(`the gateway of a page at ${host} is ${gateway}, unless it is configured`, () => {
    const headers = { host, ...(forwarded && { "x-forwarded-proto": forwarded }) };
    assert.equal(gatewayOf(headers, undefined), gateway);
    assert.equal(gatewayOf(headers, "http://gateway:80"), "http://gateway:80");
  });
}

const host = "localhost:9410";
const json = { "content-type": "application/json" };
for (const [who, headers, reads, changes] of [
  ["the page", { host, "sec-fetch-site": "same-origin" }, true, true],
  ["the page, with its origin", { host, ...json, origin: `http://${host}` }, true, true],
  ["an address that was typed", { host, "sec-fetch-site": "none" }, true, false],
  ["curl with JSON", { host, ...json }, true, true],
  ["curl without", { host }, true, false],
  ["another site", { host, ...json, "sec-fetch-site": "cross-site" }, false, false],
  ["another port", { host, ...json, "sec-fetch-site": "same-site" }, false, false],
  ["another origin", { host, ...json, origin: "http://localhost:1" }, false, false],
  ["an opaque origin", { host, ...json, origin: "null" }, false, false],
  ["a name that leads here", { host: "evil.example:9410", ...json }, false, false],
  ["a client without a Host", json, false, false],
] as const) {
  test(`${who} may ${changes ? "change" : reads ? "read, and not change" : "not even read"}`, () => {
    const check = (change: boolean) => () => refuseForeignPages(headers, change);
    for (const [allowed, change] of [
      [reads, false],
      [changes, true],
    ] as const) {
      if (allowed) assert.doesNotThrow(check(change));
      else assert.throws(check(change), { code: "ERR_BAD_REQUEST" });
    }
  });
}
