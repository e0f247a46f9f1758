/** A second version of a function on one machine, behind the same name. */
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { loadCanary, parseCanary } from "../local/canary/canary.ts";
import { functionsDir, loadFunctions } from "../local/discover.ts";
import type { LiveGraph, Trace, TraceSummary } from "../ui/live.ts";
import { eventually, startTestGraph, type TestGraph } from "./support/graph.ts";

describe("a canary of service-c with a quarter of the calls", () => {
  let folder: string;
  let system: TestGraph;
  const live = async () =>
    (await (await system.fetch("ui", "/api/graph/live")).json()) as LiveGraph;
  const node = ({ nodes }: LiveGraph, name: string) => nodes.find((one) => one.name === name);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "canary-"));
    await cp(join(functionsDir, "service-c"), folder, { recursive: true });
    const file = join(folder, "index.ts");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace("Konnichiwa", "Ohayou"));
    const canary = await loadCanary(parseCanary(`service-c=${folder}:25`), await loadFunctions());
    system = await startTestGraph({ LOG_LEVEL: "info" }, { canary });
  });
  after(async () => {
    await system?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  test("answers every fourth request, and the page shows both with their shares", async () => {
    const messages: string[] = [];
    for (let i = 0; i < 12; i++) {
      const { status, body } = await system.ask();
      assert.equal(status, 200);
      const c = body.greeting?.find(({ service }) => service === "Service-C");
      messages.push(c?.message ?? "");
    }
    assert.equal(messages.filter((message) => message.startsWith("Ohayou")).length, 3);
    const requests = (seen: LiveGraph) =>
      ["service-c", "service-c v2"].map((name) => node(seen, name)?.figures.requests);
    const graph = await eventually(live, (seen) => requests(seen).join() === "9,3");
    assert.partialDeepStrictEqual(node(graph, "service-c")?.revision, { name: "v1", share: 0.75 });
    assert.partialDeepStrictEqual(node(graph, "service-c v2"), {
      ...{ kind: "greeter", state: "ready" },
      revision: { of: "service-c", name: "v2", share: 0.25 },
    });
    const edges = graph.edges.filter(({ from, to }) => {
      return from === "service-c v2" || (from === "service-a" && to.startsWith("service-c"));
    });
    assert.deepEqual(
      edges.map(({ from, to, figures, declared }) => [from, to, figures.requests, declared]),
      [
        ["service-a", "service-c", 9, true],
        ["service-a", "service-c v2", 3, true],
        ["service-c v2", "mongodb:service-c.greetings", 3, true],
      ],
    );
  });

  test("has traces and log lines of its own", async () => {
    const path = "/api/traces?node=service-c%20v2&limit=1";
    const { traces } = (await (await system.fetch("ui", path)).json()) as {
      traces: TraceSummary[];
    };
    const found = await system.fetch("ui", `/api/traces/${traces[0]?.traceId}`);
    const { timeline } = (await found.json()) as Trace;
    assert.ok(
      timeline.some(({ service, kind }) => service === "service-c v2" && kind === "server"),
    );
    assert.ok(system.said.some((line) => line.includes('"service":"service-c v2"')));
  });

  test("can be stopped by itself, which fails its share of the requests and no other", async () => {
    await system.graph.function("service-c v2").stop();
    const statuses: number[] = [];
    for (let i = 0; i < 8; i++) statuses.push((await system.ask()).status);
    assert.deepEqual(statuses.toSorted(), [200, 200, 200, 200, 200, 200, 503, 503]);
  });
});
