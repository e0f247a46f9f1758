import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { graphOf } from "../local/declared-graph.ts";
import { isOfDesign } from "./support/design.ts";
import { eventually, startTestGraph, type TestGraph } from "./support/graph.ts";

const requests = 20;
const failing = 5;

/** The durations' counts of one metric, summed over the series that have all these labels. */
function countOf(text: string, metric: string, labels: Record<string, string> = {}): number {
  const wanted = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return text
    .split("\n")
    .filter(
      (line) => line.startsWith(`${metric}{`) && wanted.every((label) => line.includes(label)),
    )
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

describe("the functions' metrics", () => {
  let system: TestGraph;

  before(async () => {
    system = await startTestGraph({ FAULTS: "on" });
    for (let i = 0; i < requests; i++) assert.equal((await system.ask()).status, 200);
  });
  after(() => system?.[Symbol.asyncDispose]());

  const metricsOf = async (name: string) => (await system.fetch(name, "/metrics")).text();

  test("count each declared edge at its caller, once a request", async () => {
    const definitions = system.graph.functions.flatMap(({ definition }) => definition ?? []);
    for (const { from, to, protocol } of graphOf(definitions).edges.filter(isOfDesign)) {
      const [system = "", destination = ""] = to.split(/:(.*)/);
      const [namespace = "", collection = ""] = destination.split(".");
      const [metric, labels] = {
        http: ["http_client_request_duration_seconds", { server_service_name: to }],
        cloudevents: ["http_client_request_duration_seconds", { server_service_name: to }],
        grpc: ["rpc_client_call_duration_seconds", { server_service_name: to }],
        mongodb: [
          "db_client_operation_duration_seconds",
          { db_system_name: system, db_namespace: namespace, db_collection_name: collection },
        ],
        amqp: from.startsWith("rabbitmq:")
          ? [
              "messaging_process_duration_seconds",
              { messaging_destination_name: from.slice("rabbitmq:".length) },
            ]
          : [
              "messaging_client_operation_duration_seconds",
              { messaging_destination_name: destination },
            ],
      }[protocol] as [string, Record<string, string>];
      const caller = from.startsWith("rabbitmq:") ? to : from;
      // The queue's part comes a moment later.
      await eventually(
        async () => countOf(await metricsOf(caller), `${metric}_count`, labels),
        (count) => count === requests,
      );
    }
  });

  test("count what each function serves, and neither scrapes nor probes", async () => {
    for (const name of ["gateway", "service-c", "service-d", "service-h"]) {
      await system.fetch(name, "/healthz");
      const text = await metricsOf(name);
      assert.equal(countOf(text, "http_server_request_duration_seconds_count"), requests, name);
      assert.equal(countOf(text, "faas_coldstarts_total"), 1);
    }
    for (const name of ["service-a", "service-b", "service-e", "service-g"]) {
      const text = await metricsOf(name);
      assert.equal(countOf(text, "rpc_server_call_duration_seconds_count"), requests, name);
    }
  });

  test("tell failures by their code, at the function and at each edge above it", async () => {
    const headers = { "x-fault": "service-h=503" };
    for (let i = 0; i < failing; i++) {
      assert.equal((await system.fetch("gateway", "/api/greeting", { headers })).status, 503);
    }
    const failed = { error_type: "ERR_CALLEE" };
    const at = async (name: string, metric: string, labels = {}) =>
      countOf(await metricsOf(name), `${metric}_duration_seconds_count`, { ...failed, ...labels });
    assert.equal(await at("service-h", "http_server_request"), failing);
    const edge = { server_service_name: "service-h" };
    assert.equal(await at("service-e", "http_client_request", edge), failing);
    assert.equal(await at("service-e", "rpc_server_call"), failing);
    assert.equal(await at("gateway", "http_server_request"), failing);
    assert.equal(countOf(await metricsOf("service-h"), "faults_injected_total"), failing);
  });
});
