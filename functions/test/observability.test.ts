/** What the cluster watches with: scrape configuration, rules and every query, before a real Prometheus and the real graph. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { functionsDir } from "../local/discover.ts";
import {
  type ClusterPrometheus,
  configuration,
  startClusterPrometheus,
  type Target,
} from "./support/cluster-prometheus.ts";
import { filledIn, queriesOf, readDashboards } from "./support/dashboards.ts";
import { type Exposition, startExposition } from "./support/exposition.ts";
import { eventually, startTestGraph, type TestGraph } from "./support/graph.ts";
import { at, build, type Manifest } from "./support/manifests.ts";
import { isPlatform } from "./support/orders.ts";
import { whyNoPrometheus } from "./support/prometheus.ts";

const whyNot = await whyNoPrometheus();
const queries = Object.values(readDashboards()).flatMap(queriesOf);
const readme = readFileSync(join(functionsDir, "../istio/README.md"), "utf8");
const values = { namespace: "dev", function: "service-g", __rate_interval: "30s" };

/** The right column of the table of older queries. */
function readmeQueries(): string[] {
  const [, after = ""] = readme.split("| older query | today |\n| --- | --- |\n");
  const [rows = ""] = after.split(/\n(?!\|)/);
  return rows.split("\n").map((row) => /\| `([^`]+)` \|$/.exec(row)?.[1] ?? row);
}

describe("the rules", { skip: whyNot ?? false }, () => {
  const folder = join(configuration, "..");
  const promtool = (...args: string[]) => spawnSync("promtool", args, { encoding: "utf8" });

  for (const file of ["recording_rules.yml", "alerting_rules.yml"]) {
    test(`${file} is what promtool takes`, () => {
      const { status, stdout, stderr } = promtool("check", "rules", join(folder, file));
      assert.equal(status, 0, stdout + stderr);
    });
  }

  test("fire for what they wait for, and for nothing else", () => {
    const cases = join(functionsDir, "test/prometheus/rules.yml");
    const { status, stdout, stderr } = promtool("test", "rules", cases);
    assert.equal(status, 0, stdout + stderr);
    const text = readFileSync(join(folder, "alerting_rules.yml"), "utf8");
    for (const [, alert = ""] of text.matchAll(/- alert: (\w+)/g)) {
      assert.ok(
        readFileSync(cases, "utf8").includes(`alertname: ${alert}`),
        `${alert} has no case`,
      );
    }
  });
});

describe("a Prometheus with the cluster's configuration", { skip: whyNot ?? false }, () => {
  let receiver: Server;
  let system: TestGraph;
  let prometheus: ClusterPrometheus;
  let watched: [name: string, port: number][];
  let traffic: Promise<void>;
  const done = new AbortController();
  const expositions: Exposition[] = [];

  /** What Kubernetes would tell Prometheus of a pod of this workload; its address is one of this machine. */
  const podOf = (manifest: Manifest | undefined, address: string): Target => {
    const { annotations = {}, labels = {} } =
      at<Manifest["metadata"]>(manifest, "spec.template.metadata") ?? {};
    const [ip = "", port = ""] = address.split(":");
    // After the sidecar's injection: the agent has taken the annotations' place, and their port.
    const given = {
      ...annotations,
      ...("prometheus.io/port" in annotations && { "prometheus.io/port": port }),
    };
    const meta = [
      ...Object.entries(given).map(([name, value]) => [`annotation_${name}`, value]),
      ...Object.entries(labels).map(([name, value]) => [`label_${name}`, value]),
      ["label_serving_knative_dev_revision", `${manifest?.metadata.name}-00001`],
      ["name", `${manifest?.metadata.name}-00001-deployment-7c9d-x2x4z`],
      ["phase", "Running"],
      ["ip", ip],
    ].map(([name = "", value = ""]) => [
      `__meta_kubernetes_pod_${name.replaceAll(/[^a-zA-Z\d]/g, "_")}`,
      value,
    ]);
    return {
      job: "pods",
      address,
      meta: { ...Object.fromEntries(meta), __meta_kubernetes_namespace: "dev" },
    };
  };

  before(async () => {
    const manifests = [...build("knative/overlays/dev"), ...build("knative/overlays/dev-bridge")];
    const workload = (name: string) =>
      manifests.find((one) => one.metadata.name === name && at(one, "spec.template"));
    // Somebody who takes spans: only of a request that is traced there is an exemplar.
    receiver = createServer((request, response) =>
      request.resume().on("end", () => response.end()),
    );
    await once(receiver.listen(0, "127.0.0.1"), "listening");
    const endpoint = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    system = await startTestGraph({ FAULTS: "on", OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    watched = [...system.graph.addresses].filter(([name]) => workload(name));
    const standIn = async (file: string, name: string, job: string, application?: string) => {
      const text = join(functionsDir, `test/prometheus/${file}.prom`);
      const exposition = await startExposition(text, application);
      expositions.push(exposition);
      return { ...podOf(workload(name), exposition.address), job };
    };
    const withPort = (name: string, { meta, ...target }: Target) => ({
      ...target,
      meta: { ...meta, __meta_kubernetes_pod_container_port_name: name },
    });
    prometheus = await startClusterPrometheus([
      // service-c as on the cluster, where its sidecar's metrics and its own come as one; the others by themselves.
      ...(await Promise.all(
        watched.map(([name, port]) =>
          name === "service-c"
            ? standIn("pods", name, "pods", `127.0.0.1:${port}`)
            : podOf(workload(name), `127.0.0.1:${port}`),
        ),
      )),
      await standIn("rabbitmq", "rabbitmq", "pods"),
      withPort("http-usermetric", await standIn("queue-proxy", "service-g", "queue-proxy")),
      withPort("metrics", await standIn("knative", "activator", "knative")),
      await standIn("cadvisor", "node", "cadvisor"),
    ]);
    traffic = keepAsking();
    const failing = 'rate(rpc_client_call_duration_seconds_count{error_type!=""}[30s]) > 0';
    await eventually(
      () => prometheus.query(failing),
      (seen) => seen.some(({ metric }) => metric.server_service_name === "service-g"),
    );
  });
  /** Good requests and failing ones, so that every rate is of something. */
  async function keepAsking(): Promise<void> {
    const faults = ["", "service-g=503", "service-h=503"];
    for (let turn = 0; !done.signal.aborted; turn += 1) {
      const fault = faults[turn % faults.length];
      const headers = fault ? { "x-fault": fault } : {};
      await (await system.fetch("gateway", "/api/greeting", { headers })).text();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  after(async () => {
    done.abort();
    await traffic;
    await prometheus?.[Symbol.asyncDispose]();
    for (const exposition of expositions) await exposition[Symbol.asyncDispose]();
    await system?.[Symbol.asyncDispose]();
    receiver?.close();
  });

  test("reads every function, and labels what it reads", async () => {
    assert.deepEqual(await prometheus.unread(), []);
    const read = await prometheus.query('process_uptime_seconds{service_name!=""}');
    const names = read.map(({ metric }) => metric.service_name).sort();
    assert.deepEqual(names, watched.map(([name]) => name).sort());
    for (const { metric } of read) {
      assert.equal(metric.job, "pods");
      assert.equal(metric.namespace, "dev");
      assert.equal(metric.app, metric.service_name);
      assert.match(metric.pod ?? "", new RegExp(`^${metric.app}-`));
    }
  });

  test("evaluates every rule", async () => {
    assert.deepEqual(await prometheus.rulesThatFail(), []);
    // What a clone has besides is not asked here.
    const declared = system.graph.functions
      .flatMap(({ name, definition }) =>
        (definition?.calls ?? []).map((callee) => [name, callee.name]),
      )
      .filter((edge) => edge.every(isPlatform))
      .map((edge) => edge.join(" > "));
    const seen = async () =>
      (await prometheus.query("edge:requests:rate5m > 0")).map(
        ({ metric }) => `${metric.service_name} > ${metric.server_service_name}`,
      );
    const edges = await eventually(seen, ({ length }) => length >= declared.length);
    assert.deepEqual(edges.sort(), declared.sort());
  });

  test("keeps the trace of a request with its duration", async () => {
    const found = await eventually(
      () => prometheus.exemplars("http_server_request_duration_seconds_bucket"),
      (seen) => seen.length > 0,
    );
    assert.match(found[0] ?? "", /^[\da-f]{32}$/);
  });

  /** What stays empty while broker and publisher are well, and alerts while nothing is wrong. */
  const mayBeEmpty = /messaging_operation_type="send", error_type!=""|\bALERTS\b/;

  for (const { from, expr } of queries) {
    test(`has an answer for ${from}`, async () => {
      // Of each function something is missing that another has: a call, a save, a publish. And a zero that
      // stands for nothing is no answer.
      const asked = ["service-g", "service-e", "service-d", "service-a", "gateway"].map((name) =>
        filledIn(expr.replace(/ or vector\(0\)$/, ""), { ...values, function: name }),
      );
      const answer = await eventually(
        async () => {
          for (const query of new Set(asked)) {
            const found = await prometheus.query(query);
            if (found.length > 0) return found;
          }
          return [];
        },
        (found) => found.length > 0 || mayBeEmpty.test(expr),
        5_000,
      );
      for (const { value } of answer) assert.doesNotMatch(value[1], /^\+?Inf/);
    });
  }

  for (const query of readmeQueries()) {
    test(`has an answer for the README's ${query}`, async () => {
      await eventually(
        () => prometheus.query(query),
        (found) => found.length > 0,
        5_000,
      );
    });
  }

  test("refuses a query that is wrong, and finds nothing by the older names", async () => {
    await assert.rejects(() => prometheus.query("sum by (le (rate(up[1m]))"), /parse error/);
    assert.deepEqual(
      await prometheus.query('container_memory_max_usage_bytes{container_name="service-f"}'),
      [],
    );
  });
});
