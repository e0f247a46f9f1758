/** The page's server side on one machine: the graph of `npm start`, spans that the test sends, and the API of `ui`. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { LiveGraph, PageSettings, Trace, TraceSummary } from "../ui/live.ts";
import { ask as askRaw } from "./support/ask.ts";
import { followEvents } from "./support/event-source.ts";
import { eventually, startTestGraph, type TestGraph } from "./support/graph.ts";
import { sendSpans } from "./support/otlp.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";

describe("the live graph", () => {
  let system: TestGraph;
  const uiPort = () => system.graph.addresses.get("ui") ?? 0;
  const origin = () => `http://127.0.0.1:${uiPort()}`;
  const get = async <Body>(path: string): Promise<Body> => {
    const response = await system.fetch("ui", path);
    assert.equal(response.status, 200, `${path}: ${await response.clone().text()}`);
    return (await response.json()) as Body;
  };
  const live = () => get<LiveGraph>("/api/graph/live");
  const post = (path: string, headers: Record<string, string> = {}) =>
    askRaw(uiPort(), path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: "{}",
    });
  const stateOf = (graph: LiveGraph, name: string) =>
    graph.nodes.find((node) => node.name === name)?.state;

  before(async () => {
    system = await startTestGraph({ LOG_LEVEL: "info" });
  });
  after(() => system?.[Symbol.asyncDispose]());

  test("shows every function ready, and how many messages wait", async () => {
    const graph = await eventually(live, ({ nodes }) =>
      nodes.every(({ kind, state }) => kind === "collection" || state === "ready"),
    );
    assert.equal(graph.source, "spans");
    const queue = graph.nodes.find(({ kind }) => kind === "queue");
    assert.equal(queue?.depth, 0);
    assert.ok(graph.edges.every(({ declared }) => declared));
  });

  test("counts spans on the edge and at both its ends", async () => {
    await sendSpans(system.graph.live.origin, [
      {
        traceId,
        spanId: "a000000000000001",
        service: "service-e",
        kind: "server",
        name: "GET /api/greeting",
        ms: 30,
      },
      {
        traceId,
        spanId: "a000000000000002",
        parentSpanId: "a000000000000001",
        service: "service-e",
        kind: "client",
        name: "greeting.GreetingService/Greeting",
        ms: 20,
        error: "service-g: unreachable",
        attributes: { "server.service.name": "service-g", "rpc.system.name": "grpc" },
      },
      {
        traceId,
        spanId: "a000000000000003",
        service: "service-e",
        kind: "client",
        name: "GET",
        ms: 5,
        attributes: { "server.service.name": "elsewhere", "http.request.method": "GET" },
      },
    ]);
    const { nodes, edges } = await live();
    const edge = (to: string) => edges.find((one) => one.from === "service-e" && one.to === to);
    assert.partialDeepStrictEqual(edge("service-g"), {
      protocol: "grpc",
      declared: true,
      figures: { requests: 1, requestsPerSecond: 0.1, errorShare: 1 },
    });
    const { p50 } = edge("service-g")?.figures ?? {};
    assert.ok(p50 && Math.abs(p50 - 20) < 1, `${p50}`);
    assert.partialDeepStrictEqual(edge("elsewhere"), { protocol: "http", declared: false });
    assert.partialDeepStrictEqual(
      nodes.find(({ name }) => name === "elsewhere"),
      {
        kind: "function",
        state: "unknown",
      },
    );
    const e = nodes.find(({ name }) => name === "service-e");
    assert.equal(e?.figures.requests, 1);
  });

  test("lists the requests of a node and of an edge, and shows one with its spans", async () => {
    const edge = encodeURIComponent("service-e>service-g");
    for (const query of ["node=service-e", "node=service-g", `edge=${edge}`]) {
      const { traces } = await get<{ traces: TraceSummary[] }>(`/api/traces?${query}&limit=5`);
      const found = traces.find((one) => one.traceId === traceId);
      assert.partialDeepStrictEqual(found, { name: "GET /api/greeting", spans: 3, failed: true });
    }
    const trace = await get<Trace>(`/api/traces/${traceId}`);
    assert.equal(trace.timeline[0]?.parentSpanId, null);
    assert.partialDeepStrictEqual(
      trace.timeline.find(({ kind, error }) => kind === "client" && error !== null),
      { error: "service-g: unreachable", parentSpanId: "a000000000000001" },
    );
    assert.equal((await system.fetch("ui", `/api/traces/${"0".repeat(32)}`)).status, 404);
    assert.equal((await system.fetch("ui", "/api/traces?edge=a")).status, 400);
    assert.equal((await system.fetch("ui", "/api/traces?limit=0")).status, 400);
  });

  test("sends a change as an event", async () => {
    await using events = await followEvents(`${origin()}/api/graph/events`);
    const seen = (graph: LiveGraph) =>
      graph.edges.find(({ from, to }) => from === "service-a" && to === "service-c")?.figures
        .requests ?? 0;
    const graphs = () => events.of("graph").map((data) => JSON.parse(data) as LiveGraph);
    await eventually(
      async () => graphs(),
      (all) => all.length > 0,
    );
    const before = seen(await live());
    await sendSpans(system.graph.live.origin, [
      {
        traceId: "1".repeat(32),
        spanId: "b000000000000001",
        service: "service-a",
        kind: "client",
        name: "GET",
        ms: 3,
        attributes: { "server.service.name": "service-c", "http.request.method": "GET" },
      },
    ]);
    await eventually(
      async () => graphs().map(seen),
      (all) => all.includes(before + 1),
    );
  });

  test("stops and starts a function from the page, and follows its log", async () => {
    await using log = await followEvents(`${origin()}/api/functions/service-g/logs`);
    assert.equal((await post("/api/functions/service-g/stop")).status, 202);
    await eventually(live, (graph) => stateOf(graph, "service-g") === "stopped");
    assert.equal((await system.ask()).status, 503);
    assert.equal((await post("/api/functions/service-g/start")).status, 202);
    await eventually(live, (graph) => stateOf(graph, "service-g") === "ready");
    assert.equal((await system.ask()).status, 200);
    await eventually(
      async () => log.of("log").map((line) => JSON.parse(line).msg as string),
      (messages) => messages.some((msg) => msg.startsWith("listening on port")),
    );
  });

  for (const [who, headers, status] of [
    ["another site's page", { "sec-fetch-site": "cross-site", origin: "http://evil.example" }, 400],
    ["a page of another port", { "sec-fetch-site": "same-site" }, 400],
    ["a form", { "content-type": "text/plain" }, 400],
    ["a page of another origin", { origin: "http://evil.example" }, 400],
    ["a name that leads here", { host: "evil.example", "sec-fetch-site": "same-origin" }, 400],
    ["the page itself", { "sec-fetch-site": "same-origin", "content-type": "text/plain" }, 202],
  ] as const) {
    test(`control by ${who} is answered with ${status}`, async () => {
      const answer = await post("/api/functions/service-h/start", headers);
      assert.equal(answer.status, status, answer.text);
    });
  }

  test("control of what is no function, or of ui itself, is refused", async () => {
    assert.equal((await post("/api/functions/unknown/stop")).status, 404);
    assert.equal((await post("/api/functions/ui/stop")).status, 400);
  });

  test("the live server answers no page", async () => {
    const { origin } = system.graph.live;
    for (const headers of [{ origin: "http://evil.example" }, { "sec-fetch-site": "none" }]) {
      assert.equal((await fetch(`${origin}/api/graph/live`, { headers })).status, 400);
    }
    const answer = await askRaw(Number(new URL(origin).port), "/api/graph/live", {
      headers: { host: "evil.example" },
    });
    assert.equal(answer.status, 400);
    assert.equal((await fetch(`${origin}/api/graph/live`)).status, 200);
  });

  test("the page may ask the gateway, and no other server", async () => {
    const settings = await get<PageSettings>("/api/page");
    const gateway = system.graph.addresses.get("gateway");
    assert.deepEqual(settings, {
      gateway: `http://localhost:${gateway}`,
      control: true,
      deadLetters: true,
      faults: settings.faults,
      traceUrl: null,
      kialiUrl: null,
    });
    const preflight = (origin: string) =>
      system.fetch("gateway", "/api/greeting", { method: "OPTIONS", headers: { origin } });
    const allowed = await preflight(`http://localhost:${uiPort()}`);
    assert.equal(
      allowed.headers.get("access-control-allow-origin"),
      `http://localhost:${uiPort()}`,
    );
    const other = await preflight("http://evil.example");
    assert.equal(other.headers.get("access-control-allow-origin"), null);

    const page = await system.fetch("ui", "/");
    assert.equal(page.status, 200);
    assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
    const policy = page.headers.get("content-security-policy") ?? "";
    assert.match(policy, new RegExp(`connect-src 'self' http://localhost:${gateway};`));
    assert.doesNotMatch(policy, /unsafe|\*/);
    const etag = page.headers.get("etag") ?? "";
    const again = await system.fetch("ui", "/", { headers: { "if-none-match": etag } });
    assert.equal(again.status, 304);
    assert.equal((await system.fetch("ui", "/nothing.js")).status, 404);
  });

  test("ui ends at once though somebody follows the graph, and the stream is read to its end", async () => {
    await using events = await followEvents(`${origin()}/api/graph/events`);
    await eventually(
      async () => events.of("graph").length,
      (count) => count > 0,
    );
    await system.graph.function("ui").stop();
    assert.equal(await events.ended, "end");
    await system.graph.function("ui").start();
  });
});
