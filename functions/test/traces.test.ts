import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as conventions from "@opentelemetry/semantic-conventions/incubating";
import type { Span } from "../local/otlp.ts";
import { startRabbitMq } from "../local/services/rabbitmq.ts";
import type { RunningService } from "../local/services/service.ts";
import { designEdges, designFunctions } from "./support/design.ts";
import { eventually, startTestGraph, type TestGraph } from "./support/graph.ts";
import { type Receiver, startReceiver } from "./support/receiver.ts";
import { drift, edgesOf, treeProblems } from "./support/trace-graph.ts";

const declared = designEdges.toSorted();
const none = { missing: [], undeclared: [] };

describe("the traces of the graph", () => {
  let receiver: Receiver;
  let system: TestGraph;
  let rabbit: RunningService;

  const telling = () => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    OTEL_BSP_SCHEDULE_DELAY: "200",
  });
  before(async () => {
    receiver = await startReceiver();
    system = await startTestGraph(telling(), { ownServices: true });
    ({ rabbit } = system.graph);
  });
  after(async () => {
    await system?.[Symbol.asyncDispose]();
    await rabbit?.stop();
    await receiver?.[Symbol.asyncDispose]();
  });

  const ofTrace = (traceId: string): Span[] =>
    receiver.spans.filter((span) => span.traceId === traceId);

  /** Asks so often, ten at a time; the ids of the traces that the answers name. */
  const ask = async (times: number, from = system): Promise<string[]> => {
    const ids: string[] = [];
    for (let left = times; left > 0; left -= 10) {
      const some = Array.from({ length: Math.min(10, left) }, async () => {
        const response = await from.fetch("gateway", "/api/greeting");
        assert.equal(response.status, 200, await response.text());
        const [, traceId = ""] = (response.headers.get("traceresponse") ?? "").split("-");
        ids.push(traceId);
      });
      await Promise.all(some);
    }
    return ids;
  };

  /** Waits until nothing of it can be under way any more: F has saved, and every call is met. */
  const whole = async (traceId: string): Promise<Span[]> => {
    const look = async () => ofTrace(traceId);
    const saved = (spans: readonly Span[]) =>
      edgesOf(spans).some((edge) => edge.startsWith("service-f -mongodb->"));
    return eventually(look, (spans) => saved(spans) && treeProblems(spans).length === 0);
  };

  test("are one tree for each of 50 requests, edge by edge as declared, through a restart of the broker", async () => {
    const ids = await ask(20);
    await system.graph.function("bridge").stop();
    const waiting = await ask(10);
    await rabbit.stop();
    rabbit = await startRabbitMq(system.services);
    await system.graph.function("bridge").start();
    await eventually(
      async () => (await system.fetch("service-d", "/readyz")).status,
      (status) => status === 200,
    );
    ids.push(...waiting, ...(await ask(20)));
    assert.equal(new Set(ids).size, 50);
    for (const traceId of ids) {
      const spans = await whole(traceId);
      assert.deepEqual(drift(edgesOf(spans), declared), none);
      assert.equal(spans.find(({ parentSpanId }) => !parentSpanId)?.service, "gateway");
      assert.deepEqual(
        spans.filter(({ error }) => error !== null).map(({ name, error }) => [name, error]),
        [],
      );
    }
    // The page sends no spans: what it asks is no part of what it shows.
    assert.deepEqual(
      [...new Set(receiver.spans.map(({ service }) => service))].sort(),
      designFunctions,
    );
  });

  test("join F to the producer of its event, whose own trace it is", async () => {
    const [traceId = ""] = await ask(1);
    const spans = await whole(traceId);
    const producer = spans.find(({ kind }) => kind === "producer");
    const server = spans.find(({ service, kind }) => service === "service-f" && kind === "server");
    assert.deepEqual(server?.links, [{ traceId, spanId: producer?.spanId }]);
    const consumer = spans.find(({ kind }) => kind === "consumer");
    assert.equal(consumer?.parentSpanId, producer?.spanId);
  });

  test("have no attribute that the semantic conventions do not name", () => {
    const names = new Set<unknown>(Object.values(conventions));
    const used = new Set(receiver.spans.flatMap(({ attributes }) => Object.keys(attributes)));
    assert.ok(used.size > 20);
    assert.deepEqual(
      [...used].filter((name) => !names.has(name)),
      [],
    );
  });

  test("show drift in both directions where edges are not as declared", async () => {
    await using other = await startTestGraph({
      ...telling(),
      CALL_PROTOCOL: "http",
      RABBITMQ_URL: rabbit.url,
      MONGODB_URL: system.graph.mongo.url,
    });
    await system.graph.function("bridge").stop();
    const [traceId = ""] = await ask(1, other);
    const overGrpc = declared.filter((edge) => edge.includes("-grpc->"));
    assert.deepEqual(drift(edgesOf(await whole(traceId)), declared), {
      missing: overGrpc,
      undeclared: overGrpc.map((edge) => edge.replace("-grpc->", "-http->")),
    });
  });

  test("show drift where a declared edge is not taken", async () => {
    const response = await system.fetch("gateway", "/api/services/service-e/greeting");
    const [, traceId = ""] = (response.headers.get("traceresponse") ?? "").split("-");
    const look = async () => ofTrace(traceId);
    const spans = await eventually(look, (some) => some.length >= 9);
    assert.deepEqual(drift(edgesOf(spans), declared), {
      missing: declared.filter((edge) => !/^service-[egh] /.test(edge)),
      undeclared: ["gateway -http-> service-e"],
    });
  });
});
