import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { followEvents } from "../../test/support/event-source.ts";
import { encodeSpans, type SentSpan, sendSpans } from "../../test/support/otlp.ts";
import { until } from "../../test/support/until.ts";
import type { LiveGraph } from "../../ui/live.ts";
import type { Deployable } from "../discover.ts";
import { freePort } from "../ports.ts";
import { startLiveServer } from "./live-server.ts";

const span: SentSpan = {
  traceId: "1".repeat(32),
  spanId: "2".repeat(16),
  service: "service-a",
  kind: "server",
  name: "GET /api/greeting",
  ms: 5,
};

async function start(env: NodeJS.ProcessEnv = {}, functions: readonly Deployable[] = []) {
  const said: string[] = [];
  const live = await startLiveServer({
    functions,
    addresses: new Map([["service-a", 1]]),
    processes: new Map(),
    control: true,
    env,
    report: (line) => said.push(line),
  });
  return { ...live, said, [Symbol.asyncDispose]: live.close };
}

/** A receiver of the person's own, which keeps what it gets. */
async function startReceiver(status = 200) {
  const got: { path: string; headers: IncomingHttpHeaders; body: Buffer }[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    got.push({ path: request.url ?? "", headers: request.headers, body });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    got,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("spans go on to the person's own receiver, as they came, with its headers", async () => {
  await using receiver = await startReceiver();
  await using live = await start({
    OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/base/`,
    OTEL_EXPORTER_OTLP_HEADERS: "api-key=se%20cret, other=1",
  });
  const body = encodeSpans([span]);
  await fetch(`${live.origin}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf" },
    body: new Uint8Array(body),
  });
  await until("the receiver's request", () => receiver.got.length === 1);
  assert.deepEqual(receiver.got[0]?.body, Buffer.from(body));
  assert.equal(receiver.got[0].path, "/base/v1/traces");
  assert.partialDeepStrictEqual(receiver.got[0].headers, {
    "content-type": "application/x-protobuf",
    "api-key": "se cret",
    other: "1",
  });
});

test("the traces' own endpoint is used as it is", async () => {
  await using receiver = await startReceiver();
  await using live = await start({
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/own`,
  });
  await sendSpans(live.origin, [span]);
  await until("the receiver's request", () => receiver.got.length === 1);
  assert.equal(receiver.got[0]?.path, "/own");
});

for (const [what, url] of [
  ["is away", `http://127.0.0.1:${await freePort()}`],
  ["refuses them", undefined],
] as const) {
  test(`a receiver that ${what} is reported once, and spans are shown all the same`, async () => {
    await using receiver = await startReceiver(500);
    await using live = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: url ?? receiver.url });
    for (let i = 0; i < 3; i++) await sendSpans(live.origin, [span]);
    await until("the word about it", () => live.said.length > 0);
    await live.close();
    assert.equal(live.said.length, 1);
    assert.match(live.said[0] ?? "", /^Spans cannot be sent on to http:\/\/127\.0\.0\.1:\d+: /);
  });
}

test("its streams end when it drains, and spans are received until it is closed", async () => {
  await using receiver = await startReceiver();
  await using live = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
  await using graph = await followEvents(`${live.origin}/api/graph/events`);
  live.drain();
  assert.equal(await graph.ended, "end");
  await sendSpans(live.origin, [span]);
  await live.close();
  assert.equal(receiver.got.length, 1, "the last spans are sent on before the end");
  await assert.rejects(fetch(live.origin));
});

test("without any change, the graph is sent once a second; with one, at once", async () => {
  await using live = await start();
  await using events = await followEvents(`${live.origin}/api/graph/events`);
  const graphs = () => events.of("graph").map((data) => JSON.parse(data) as LiveGraph);
  await until("a second without change", () => graphs().length >= 3, 5_000);
  const [first, second, third] = graphs().map(({ at }) => Date.parse(at));
  assert.ok((second ?? 0) - (first ?? 0) >= 900, `${(second ?? 0) - (first ?? 0)} ms`);
  assert.ok((third ?? 0) - (second ?? 0) >= 900, `${(third ?? 0) - (second ?? 0)} ms`);
  await sendSpans(live.origin, [span]);
  const shown = () => graphs().some(({ nodes }) => nodes.some(({ figures }) => figures.requests));
  await until("the change", shown);
});

test("a trace that is asked for before its spans are here is answered when they are", async () => {
  await using live = await start();
  const asked = fetch(`${live.origin}/api/traces/${span.traceId}`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await sendSpans(live.origin, [span]);
  assert.equal((await asked).status, 200);
});

test("a function without a declaration is in the graph before it is called", async () => {
  await using live = await start({}, [{ name: "plain" }]);
  const { nodes } = (await (await fetch(`${live.origin}/api/graph/live`)).json()) as LiveGraph;
  assert.deepEqual(
    nodes.map(({ name, kind }) => [name, kind]),
    [["plain", "function"]],
  );
});

test("a function that is not one has neither log nor control", async () => {
  await using live = await start();
  assert.equal((await fetch(`${live.origin}/api/functions/service-x/logs`)).status, 404);
  const stop = `${live.origin}/api/functions/service-x/stop`;
  assert.equal((await fetch(stop, { method: "POST" })).status, 404);
  assert.equal((await fetch(`${live.origin}/v1/logs`, { method: "POST" })).status, 404);
});
