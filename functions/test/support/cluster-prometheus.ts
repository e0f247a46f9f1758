/** A real Prometheus with the cluster's own scrape configuration and rules, which reads servers of this machine. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { functionsDir } from "../../local/discover.ts";
import { eventually } from "./graph.ts";
import { startPrometheus } from "./prometheus.ts";

export const configuration = join(
  functionsDir,
  "../istio/components/observability/prometheus/prometheus.yml",
);

/** Something that one of the jobs reads: its address, and what Kubernetes would say of it (`__meta_kubernetes_…`). */
export interface Target {
  readonly job: string;
  readonly address: string;
  readonly meta: Readonly<Record<string, string>>;
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

export interface ClusterPrometheus extends AsyncDisposable {
  /** What a query returns now; throws Prometheus' own words where it does not understand it. */
  query(query: string): Promise<Series[]>;
  /** Trace ids that are kept with the samples of a query's metrics. */
  exemplars(query: string): Promise<string[]>;
  /** Why targets could not be read; empty when all were. */
  unread(): Promise<string[]>;
  rulesThatFail(): Promise<string[]>;
}

interface ScrapeConfig {
  job_name: string;
  static_configs?: object[];
  [setting: string]: unknown;
}

/** Reads every second; settles when it has read each target twice, so that rates have something to stand on. */
export async function startClusterPrometheus(
  targets: readonly Target[],
): Promise<ClusterPrometheus> {
  const running = await startPrometheus(configurationFor(targets));
  async function ask<T>(path: string, parameters: Record<string, string> = {}): Promise<T> {
    const url = `${running.url}/api/v1/${path}?${new URLSearchParams(parameters)}`;
    const answer = (await (await fetch(url)).json()) as { error?: string; data: T };
    if (answer.error) throw new Error(answer.error);
    return answer.data;
  }
  const query = async (text: string) =>
    (await ask<{ result: Series[] }>("query", { query: text })).result;
  const prometheus: ClusterPrometheus = {
    query,
    async exemplars(text) {
      const found = await ask<{ exemplars: { labels: { trace_id: string } }[] }[]>(
        "query_exemplars",
        { query: text, start: String(Date.now() / 1_000 - 600), end: String(Date.now() / 1_000) },
      );
      return found.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id));
    },
    async unread() {
      const { activeTargets } = await ask<{
        activeTargets: { scrapeUrl: string; lastError: string }[];
      }>("targets");
      return activeTargets.flatMap(({ scrapeUrl, lastError }) =>
        lastError ? `${scrapeUrl}: ${lastError}` : [],
      );
    },
    async rulesThatFail() {
      const { groups } = await ask<{ groups: { rules: { name: string; lastError?: string }[] }[] }>(
        "rules",
      );
      const rules = groups.flatMap((group) => group.rules);
      return rules.flatMap(({ name, lastError }) => (lastError ? `${name}: ${lastError}` : []));
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
  try {
    const twice = `count(count_over_time(up[1m]) >= 2) == ${targets.length}`;
    await eventually(
      async () => (await query(twice)).length,
      (seen) => seen > 0,
    );
    return prometheus;
  } catch (error) {
    await prometheus[Symbol.asyncDispose]();
    throw error;
  }
}

/** The cluster's, but for who finds the targets: Kubernetes does there, and here they are given. */
function configurationFor(targets: readonly Target[]): object {
  const { scrape_configs, ...rest } = parse(readFileSync(configuration, "utf8"));
  const jobs = (scrape_configs as ScrapeConfig[]).map(
    ({ kubernetes_sd_configs, authorization, tls_config, scheme, ...job }) => ({
      ...job,
      static_configs: targets
        .filter((target) => target.job === job.job_name)
        .map(({ address, meta }) => ({ targets: [address], labels: meta })),
    }),
  );
  const rules = (rest.rule_files as string[]).map((file) => join(configuration, "..", file));
  return {
    global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
    rule_files: rules,
    scrape_configs: jobs,
  };
}
