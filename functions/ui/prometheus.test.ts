import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { platformGraph } from "../test/support/orders.ts";
import {
  type PrometheusOfText,
  startPrometheusOf,
  whyNoPrometheus,
} from "../test/support/prometheus.ts";
import { until } from "../test/support/until.ts";
import { createGraphSource } from "./graph-source.ts";
import type { LiveGraph } from "./live.ts";
import { askIstio } from "./prometheus.ts";

const graph = await platformGraph();

const skip = (await whyNoPrometheus()) ?? false;

interface Requests {
  from: string;
  to: string;
  protocol?: "http" | "grpc";
  code?: string;
  grpc?: string;
  /** At each scrape. */
  step: number;
  /** Within one of Istio's buckets. */
  underMs?: number;
  reporter?: string;
  namespace?: string;
}

/** As Istio's sidecars report it: labels and buckets by istio.io's "Istio Standard Metrics". */
const mesh: readonly Requests[] = [
  { from: "istio-ingressgateway", to: "gateway-00003", step: 4 },
  { from: "gateway-00003-deployment", to: "service-a-00001", protocol: "grpc", step: 4 },
  // Two revisions of the callee, one of which fails: with an HTTP status, and without an answer.
  { from: "service-a-00001-deployment", to: "service-c-00001", step: 2, underMs: 25 },
  { from: "service-a-00001-deployment", to: "service-c-00002", code: "503", step: 1 },
  { from: "service-a-00001-deployment", to: "service-c-00002", code: "0", step: 1 },
  // gRPC's own status is a failure; to a revision with a name.
  { from: "service-b-00001-deployment", to: "service-e-v1", protocol: "grpc", step: 3 },
  { from: "service-b-00001-deployment", to: "service-e-v1", protocol: "grpc", grpc: "14", step: 1 },
  // The bridge's place is taken by Knative's source.
  { from: "rabbitmqsource-service-d-0b5a4f", to: "service-f-00001", step: 2 },
  // It is not declared; nor is the declared edge by this protocol.
  { from: "service-a-00001-deployment", to: "service-c-00001", protocol: "grpc", step: 1 },
  { from: "service-h-00001-deployment", to: "service-e-v1", step: 1 },
  // A wake: it is a request, and no call.
  { from: "service-h-00001-deployment", to: "service-g-00001", step: 1 },
  // The gateway may trigger any function.
  { from: "gateway-00003-deployment", to: "service-h-00001", step: 1 },
  // What must not count: the same once more, seen by others, and other namespaces.
  { from: "activator", to: "service-c-00001", step: 100 },
  {
    from: "service-a-00001-deployment",
    to: "service-c-00001",
    step: 100,
    reporter: "destination",
  },
  {
    from: "service-a-00001-deployment",
    to: "service-c-00001",
    step: 100,
    namespace: "other",
  },
];

const buckets = [1, 5, 10, 25, 50, 100, 250, 500, 1_000];

function exposition(scrape: number): string {
  const lines = ["# TYPE istio_requests_total counter"];
  const labelsOf = (labels: Record<string, string>) =>
    `{${Object.entries(labels).map(([name, value]) => `${name}="${value}"`)}}`;
  const histogram = ["# TYPE istio_request_duration_milliseconds histogram"];
  for (const one of mesh) {
    const { from, to, protocol = "http", code = "200", grpc, step, underMs = 10 } = one;
    const { reporter = "source", namespace = "dev" } = one;
    const labels = {
      reporter,
      source_workload: from,
      source_workload_namespace: namespace,
      destination_service: `${to}.${namespace}.svc.cluster.local`,
      destination_service_name: to,
      destination_service_namespace: namespace,
      request_protocol: protocol,
      response_code: code,
      grpc_response_status: grpc ?? (protocol === "grpc" ? "0" : ""),
    };
    lines.push(`istio_requests_total${labelsOf(labels)} ${step * scrape}`);
    for (const le of [...buckets, "+Inf"]) {
      const inside = le === "+Inf" || Number(le) >= underMs ? step * scrape : 0;
      const name = "istio_request_duration_milliseconds_bucket";
      histogram.push(`${name}${labelsOf({ ...labels, le: String(le) })} ${inside}`);
    }
  }
  lines.push("# TYPE faas_wakes_total counter");
  for (const [to, count, namespace] of [
    ["service-g", scrape, "dev"],
    ["service-h", 0, "dev"],
    ["service-c", scrape, "other"],
  ] as const) {
    const labels = { service_name: "service-h", faas_invoked_name: to, error_type: "", namespace };
    lines.push(`faas_wakes_total${labelsOf(labels)} ${count}`);
  }
  for (const direction of ["sent", "received"]) {
    const name = `istio_tcp_${direction}_bytes_total`;
    lines.push(`# TYPE ${name} counter`);
    for (const from of ["service-c-00001-deployment", "rabbitmqsource-service-d-0b5a4f"]) {
      const labels = {
        reporter: "source",
        source_workload: from,
        source_workload_namespace: "dev",
        destination_service_name: from.startsWith("r") ? "rabbitmq" : "mongodb",
      };
      lines.push(`${name}${labelsOf(labels)} ${500 * scrape}`);
    }
  }
  return `${[...lines, ...histogram].join("\n")}\n`;
}

describe("Istio's metrics", { skip }, () => {
  let prometheus: PrometheusOfText;
  let live: LiveGraph;
  const edge = (from: string, to: string) => {
    const found = live.edges.find((one) => one.from === from && one.to === to);
    assert.ok(found, `${from} > ${to}`);
    return found;
  };
  const node = (name: string) => live.nodes.find((one) => one.name === name);

  before(async () => {
    let scrape = 0;
    prometheus = await startPrometheusOf(() => exposition(scrape++));
    const take = createGraphSource({
      graph,
      url: prometheus.url,
      namespace: "dev",
      report: (line) => assert.fail(line),
    });
    await until(
      "figures of more than one scrape",
      async () => {
        live = await take();
        return (node("service-a")?.figures.p99 ?? null) !== null && prometheus.scrapes() > 10;
      },
      30_000,
    );
  });
  after(() => prometheus?.[Symbol.asyncDispose]());

  test("give every edge its requests, and its share of errors, whatever the revisions are called", () => {
    assert.equal(live.source, "prometheus");
    const toC = ["service-c", "service-c 00002"].map((to) => edge("service-a", to).figures);
    const ratio =
      edge("gateway", "service-a").figures.requests /
      toC.reduce((sum, { requests }) => sum + requests, 0);
    assert.ok(Math.abs(ratio - 1) < 0.3, `${ratio}`);
    assert.equal(edge("gateway", "service-a").figures.errorShare, 0);
    assert.ok(Math.abs(edge("service-b", "service-e").figures.errorShare - 0.25) < 0.01);
    assert.ok((edge("gateway", "service-a").figures.requestsPerSecond ?? 0) > 0);
    assert.equal(edge("service-e", "service-g").figures.requests, 0);
  });

  test("show two revisions of a function as two nodes, with their shares, errors and durations", () => {
    const [own, other] = ["service-c", "service-c 00002"].map(node);
    assert.equal(own?.revision?.name, "00001");
    assert.equal(other?.revision?.of, "service-c");
    assert.equal(other?.kind, "greeter");
    assert.ok(Math.abs((own?.revision?.share ?? 0) - 0.6) < 0.05, `${own?.revision?.share}`);
    assert.ok(Math.abs((other?.revision?.share ?? 0) - 0.4) < 0.05, `${other?.revision?.share}`);
    assert.equal(own?.figures.errorShare, 0);
    assert.equal(other?.figures.errorShare, 1);
    assert.ok((other?.figures.p95 ?? 99) <= 10, `${other?.figures.p95}`);
    assert.equal(edge("service-a", "service-c").figures.errorShare, 0);
    assert.equal(edge("service-a", "service-c 00002").figures.errorShare, 1);
    assert.equal(node("service-e")?.revision, undefined);
  });

  test("give durations by edge, and by function over all its callers", () => {
    const { p50, p95, p99 } = edge("gateway", "service-a").figures;
    assert.ok(p50 && p50 > 5 && p50 <= 10, `${p50}`);
    assert.ok(p95 && p95 > p50 && p99 && p99 > p95 && p99 <= 10, `${p95} ${p99}`);
    const c = node("service-c")?.figures;
    assert.ok(c?.p95 && c.p95 > 10 && c.p95 <= 25, `${c?.p95}`);
    assert.equal(edge("service-e", "service-g").figures.p50, null);
  });

  test("count a function's requests from the ingress too", () => {
    assert.ok((node("gateway")?.figures.requests ?? 0) > 0);
  });

  test("show Knative's source in the bridge's place", () => {
    assert.ok(edge("bridge", "service-f").figures.requests > 0);
    assert.equal(edge("bridge", "service-f").protocol, "cloudevents");
    assert.ok((edge("rabbitmq:service-d", "bridge").bytesPerSecond ?? 0) > 0);
  });

  test("show the bytes of connections to the database", () => {
    assert.ok((edge("service-c", "mongodb:service-c.greetings").bytesPerSecond ?? 0) > 0);
    assert.equal(edge("service-g", "mongodb:service-g.greetings").bytesPerSecond, undefined);
  });

  test("show edges without a declaration as undeclared, but not the gateway's triggers", () => {
    const undeclared = live.edges.filter(({ declared }) => !declared);
    assert.deepEqual(
      undeclared.map(({ from, to, protocol }) => `${from} -${protocol}-> ${to}`).sort(),
      ["service-a -grpc-> service-c", "service-h -http-> service-e"],
    );
    assert.equal(edge("gateway", "service-h").declared, true);
  });

  test("show what was woken, and a wake as no call", () => {
    assert.equal(node("service-g")?.woken, true);
    assert.equal(node("service-g")?.figures.requests, 0);
    for (const name of ["service-h", "service-c"]) assert.equal(node(name)?.woken, undefined);
  });

  test("are not there for names that no function has", async () => {
    const names = { functions: ["unknown"], bridge: undefined, namespace: "dev" };
    assert.deepEqual(await askIstio(prometheus.url, names), {
      revisions: new Map(),
      requests: [],
      durations: [],
      wakes: [],
      bytes: [],
    });
  });
});

test("without Prometheus, the graph has no figures, and names no source of any", async () => {
  const said: string[] = [];
  const options = { graph, namespace: "dev", report: (s: string) => said.push(s) };
  const live = await createGraphSource({ ...options, url: undefined })();
  assert.equal(live.source, "none");
  assert.deepEqual(said, []);
  assert.equal(live.edges.length, graph.edges.length);
  assert.ok(live.edges.every(({ figures, declared }) => declared && figures.requests === 0));
});

test("a Prometheus that does not answer is reported, and the graph is shown without figures", async () => {
  const said: string[] = [];
  const take = createGraphSource({
    graph,
    url: "http://127.0.0.1:1",
    namespace: "dev",
    report: (line) => said.push(line),
  });
  assert.equal((await take()).source, "none");
  assert.match(said.join("\n"), /^Prometheus: /);
});
