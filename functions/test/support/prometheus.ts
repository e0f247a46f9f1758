/** A real Prometheus, for tests of queries: it scrapes a text that the test gives, as a sidecar would give it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../local/ports.ts";
import { aptInstall, whyNoApt } from "../../local/services/apt.ts";
import { without } from "./tools.ts";
import { until } from "./until.ts";

export interface TestPrometheus extends AsyncDisposable {
  readonly url: string;
  /** How often it has read the text. */
  scrapes(): number;
}

/** A test's `skip` where there is none. In CI there must be one: as root on Debian it is installed, and elsewhere they fail. */
export async function withoutPrometheus(): Promise<string | false> {
  const { env } = process;
  const missing = without("prometheus");
  if (!missing || !env.CI) return missing;
  const whyNot = whyNoApt(env);
  if (whyNot) throw new Error(`the queries need Prometheus, which is not to be had: ${whyNot}`);
  await aptInstall("prometheus", ["prometheus.service"], { env });
  return false;
}

/** Settles when it answers. `exposition` is called at each scrape, five times a second. */
export async function startPrometheus(exposition: () => string): Promise<TestPrometheus> {
  let scrapes = 0;
  const target = createServer((_request, response) => {
    scrapes += 1;
    response.setHeader("content-type", "text/plain; version=0.0.4");
    response.end(exposition());
  });
  await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
  const { port: targetPort } = target.address() as AddressInfo;

  const folder = await mkdtemp(join(tmpdir(), "prometheus-"));
  const config = {
    global: { scrape_interval: "200ms", scrape_timeout: "200ms" },
    scrape_configs: [
      { job_name: "mesh", static_configs: [{ targets: [`127.0.0.1:${targetPort}`] }] },
    ],
  };
  await writeFile(join(folder, "prometheus.yml"), JSON.stringify(config));
  const port = await freePort();
  const child = spawn(
    "prometheus",
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(child, "close");
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill("SIGKILL");
    await ended.catch(() => {});
    target.closeAllConnections();
    await new Promise((resolve) => target.close(resolve));
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
  return { url, scrapes: () => scrapes, [Symbol.asyncDispose]: stop };
}
