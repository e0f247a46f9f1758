/** A real Prometheus for tests: it reads what its configuration says, or a text that the test gives. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../local/ports.ts";
import { aptInstall, whyNoApt } from "../../local/services/apt.ts";
import { which } from "../../local/services/process.ts";
import { until } from "./until.ts";

export interface Prometheus extends AsyncDisposable {
  readonly url: string;
}

export interface PrometheusOfText extends Prometheus {
  /** How often it has read the text. */
  scrapes(): number;
}

/** Debian's own packages start a server and an exporter with it. */
const units = ["prometheus.service", "prometheus-node-exporter.service"];

/**
 * Why there is no Prometheus to test with; undefined where there is. In CI it is installed where apt can do it, and
 * where it cannot, this throws: nothing is skipped there.
 */
export async function whyNoPrometheus(): Promise<string | undefined> {
  const { env } = process;
  const missing = () => ["prometheus", "promtool"].filter((name) => !which(name, env)).join(", ");
  if (missing() && env.CI && !whyNoApt(env)) await aptInstall("prometheus", units, { env });
  if (!missing()) return undefined;
  const why = `${missing()}: not on PATH (apt-get install prometheus)`;
  if (env.CI) throw new Error(why);
  return why;
}

/** Settles when it answers; throws its own words where it does not take the configuration. */
export async function startPrometheus(configuration: object): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), "prometheus-"));
  // JSON is YAML as well.
  await writeFile(join(folder, "prometheus.yml"), JSON.stringify(configuration));
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    "prometheus",
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${address}`,
      "--enable-feature=exemplar-storage",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(child, "close");
  const url = `http://${address}`;
  const stop = async () => {
    child.kill("SIGKILL");
    await ended.catch(() => {});
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  try {
    const answers = async () => {
      if (child.exitCode !== null) throw new Error(`prometheus ended: ${said}`);
      return (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok;
    };
    await until("Prometheus", answers, 30_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, [Symbol.asyncDispose]: stop };
}

/** One that reads a text five times a second: `exposition` is called each time. */
export async function startPrometheusOf(exposition: () => string): Promise<PrometheusOfText> {
  let scrapes = 0;
  const target = createServer((_request, response) => {
    scrapes += 1;
    response.setHeader("content-type", "text/plain; version=0.0.4");
    response.end(exposition());
  });
  await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
  const { port } = target.address() as AddressInfo;
  const prometheus = await startPrometheus({
    global: { scrape_interval: "200ms", scrape_timeout: "200ms" },
    scrape_configs: [{ job_name: "mesh", static_configs: [{ targets: [`127.0.0.1:${port}`] }] }],
  });
  return {
    url: prometheus.url,
    scrapes: () => scrapes,
    async [Symbol.asyncDispose]() {
      await prometheus[Symbol.asyncDispose]();
      target.closeAllConnections();
      await new Promise((resolve) => target.close(resolve));
    },
  };
}
