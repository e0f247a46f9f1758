import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { functionsDir } from "../local/discover.ts";
import { startPrometheusOf, whyNoPrometheus } from "./support/prometheus.ts";
import { until } from "./support/until.ts";

const skip = (await whyNoPrometheus()) ?? false;

interface Requests {
  to: string;
  /** In all, at a scrape. */
  count: (scrape: number) => number;
  code?: string;
  from?: string;
}

/** Requests that took 5 to 10 ms, as a caller's sidecar reports them. */
function exposition(requests: readonly Requests[], scrape: number): string {
  const lines = requests.map(({ to, count, code = "200", from = "service-a-00001-deployment" }) => {
    const labels = `reporter="source",source_workload="${from}",destination_service_name="${to}",destination_service_namespace="dev",response_code="${code}"`;
    const buckets = ["5", "10", "+Inf"].map((le) => {
      const name = "istio_request_duration_milliseconds_bucket";
      return `${name}{${labels},le="${le}"} ${le === "5" ? 0 : count(scrape)}`;
    });
    return { total: `istio_requests_total{${labels}} ${count(scrape)}`, buckets };
  });
  return [
    "# TYPE istio_requests_total counter",
    ...lines.map(({ total }) => total),
    "# TYPE istio_request_duration_milliseconds histogram",
    ...lines.flatMap(({ buckets }) => buckets),
    "",
  ].join("\n");
}

/** The step of the script's canary.js, and its exit code. */
async function step(url: string): Promise<{ code: number | null; said: string }> {
  const names = ["--old", "service-c-00001", "--new", "service-c-00002", "--namespace", "dev"];
  const limits = ["--min", "20", "--points", "1", "--factor", "1.5", "--plus", "50"];
  const child = spawn(process.execPath, [
    join(functionsDir, "../knative/cluster/canary.js"),
    ...["--run", "step", "--step", "50 %", "--seconds", "3", "--prometheus", url],
    ...names,
    ...limits,
  ]);
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.once("close", resolve);
  return { code: await promise, said };
}

async function measured(requests: readonly Requests[]) {
  let scrape = 0;
  await using prometheus = await startPrometheusOf(() => exposition(requests, scrape++));
  await until("some scrapes", () => prometheus.scrapes() > 25, 30_000);
  return await step(prometheus.url);
}

test("by Prometheus a revision is judged by what its callers asked", { skip }, async () => {
  const { code, said } = await measured([
    { to: "service-c-00001", count: (scrape) => scrape * 20 },
    { to: "service-c-00002", count: (scrape) => scrape * 20 },
    { to: "service-c-00002-private", count: (scrape) => scrape * 10, code: "503" },
    { to: "service-c-00002", count: (scrape) => scrape * 99, code: "503", from: "activator" },
    {
      to: "service-c-00002",
      count: (scrape) => scrape * 99,
      code: "503",
      from: "canary-service-c",
    },
  ]);
  assert.equal(code, 1, said);
  assert.match(said, /^50 % +service-c-00001 +\d+ +0\.0 % +\d+ ms$/m);
  assert.match(said, /^service-c-00002: 33\.\d % of its requests failed; at most 1\.0 % may$/m);
});

test("a revision that has all traffic is compared with what the old one did before", {
  skip,
}, async () => {
  const { code, said } = await measured([
    // It gets nothing any more after the scrape with which the step begins.
    { to: "service-c-00001", count: (scrape) => Math.min(scrape, 24) * 20, code: "503" },
    { to: "service-c-00002", count: (scrape) => scrape * 20 },
  ]);
  assert.equal(code, 0, said);
  assert.match(said, /^50 % +service-c-00001 +[1-9]\d+ +100\.0 %/m);
});
