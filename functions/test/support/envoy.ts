/** A real Envoy for tests, where one is on PATH: one listener with the HTTP filters that a test gives, and one function behind. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accepts, freePort } from "../../local/ports.ts";
import { until } from "./until.ts";

export interface Envoy extends AsyncDisposable {
  readonly port: number;
}

const type = "type.googleapis.com/envoy.extensions";
const router = {
  name: "router",
  typed_config: { "@type": `${type}.filters.http.router.v3.Router` },
};

/** Settles when it accepts connections; throws its own words where it does not take a filter. */
export async function startEnvoy(upstream: number, filters: readonly object[]): Promise<Envoy> {
  const folder = await mkdtemp(join(tmpdir(), "envoy-"));
  const port = await freePort();
  const address = (port_value: number) => ({
    address: { socket_address: { address: "127.0.0.1", port_value } },
  });
  const connections = {
    "@type": `${type}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: "test",
    // What Istio's BASE is.
    normalize_path: true,
    // Else it lingers for a second on a connection whose request it refused.
    delayed_close_timeout: "0s",
    route_config: {
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, route: { cluster: "function" } }],
        },
      ],
    },
    http_filters: [...filters, router],
  };
  const configuration = {
    static_resources: {
      listeners: [
        {
          ...address(port),
          filter_chains: [{ filters: [{ name: "http", typed_config: connections }] }],
        },
      ],
      clusters: [
        {
          name: "function",
          load_assignment: {
            cluster_name: "function",
            endpoints: [{ lb_endpoints: [{ endpoint: address(upstream) }] }],
          },
        },
      ],
    },
  };
  const file = join(folder, "envoy.json");
  await writeFile(file, JSON.stringify(configuration));
  const child = spawn(
    "envoy",
    ["-c", file, "--concurrency", "1", "--use-dynamic-base-id", "-l", "error"],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(child, "close");
  const stop = async () => {
    child.kill("SIGKILL");
    await ended.catch(() => {});
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await until(
      "Envoy",
      () => {
        if (child.exitCode !== null) throw new Error(`envoy ended: ${said}`);
        return accepts(port);
      },
      30_000,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, [Symbol.asyncDispose]: stop };
}
