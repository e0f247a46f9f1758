/** The page's figures on one machine, from the spans that the functions send themselves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LiveGraph, PageSettings, TraceSummary } from "../ui/live.ts";
import { isOfDesign } from "./support/design.ts";
import { eventually, startTestGraph } from "./support/graph.ts";

test("with all functions in one process, the page shows them, and cannot stop one", async () => {
  await using system = await startTestGraph({}, { oneProcess: true });
  const get = async (path: string) => (await system.fetch("ui", path)).json();
  const settings = (await get("/api/page")) as PageSettings;
  assert.equal(settings.control, false);
  await eventually(
    () => get("/api/graph/live") as Promise<LiveGraph>,
    ({ nodes }) => nodes.every(({ kind, state }) => kind === "collection" || state === "ready"),
  );
  const stop = await system.fetch("ui", "/api/functions/service-g/stop", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  assert.equal(stop.status, 404);
  assert.equal((await system.ask()).status, 200);
});

test("one greeting is seen on every declared edge, as one trace through the queue, where it is seen to wait", async () => {
  await using system = await startTestGraph();
  const get = async (path: string) => (await system.fetch("ui", path)).json();
  const live = () => get("/api/graph/live") as Promise<LiveGraph>;
  assert.equal((await system.ask()).status, 200);
  const graph = await eventually(live, ({ edges }) =>
    edges.filter(isOfDesign).every(({ figures }) => figures.requests === 1),
  );
  assert.ok(graph.edges.every(({ declared, figures }) => declared && !figures.errorShare));
  for (const { from, to } of graph.edges.filter(isOfDesign)) {
    const { traces } = (await get(`/api/traces?edge=${encodeURIComponent(`${from}>${to}`)}`)) as {
      traces: TraceSummary[];
    };
    assert.equal(traces.length, 1, `${from} > ${to}`);
    assert.partialDeepStrictEqual(traces[0], { name: "GET /api/greeting", failed: false });
  }

  const depth = (waiting: number) =>
    eventually(live, ({ nodes }) => nodes.some((node) => node.depth === waiting));
  await system.graph.function("bridge").stop();
  await system.ask();
  await depth(1);
  await system.graph.function("bridge").start();
  await depth(0);
});
