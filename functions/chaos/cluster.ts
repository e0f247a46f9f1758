/** A cluster that runs the graph: pods are deleted by kubectl. Its database and broker are looked at by port-forward. */
import { execFile, spawn } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "../local/ports.ts";
import { createLedger } from "./ledger.ts";
import { openStores } from "./stores.ts";
import type { System } from "./system.ts";

export interface Cluster extends System {
  /** Runs kubectl in the namespace, and returns what it prints. */
  kubectl(...args: string[]): Promise<string>;
}

/** Longer than the deadline on a cluster (DEADLINE_MS of knative/base), which is that of a cold start. */
const clientPatienceMs = 65_000;
const run = promisify(execFile);

export async function openCluster(address: URL, namespace: string): Promise<Cluster> {
  const kubectl = async (...args: string[]) =>
    (await run("kubectl", ["--namespace", namespace, ...args])).stdout;
  const secret = JSON.parse(await kubectl("get", "secret", "connections", "--output=json"));
  const stopping = new AbortController();
  const reach = async (variable: string) => {
    const url = new URL(Buffer.from(secret.data[variable], "base64").toString());
    // A name without a dot is a Service of the namespace; any other is reached as it is.
    if (url.hostname.includes(".")) return url.href;
    const port = await freePort();
    const target = [`service/${url.hostname}`, `${port}:${url.port}`];
    void forward(["--namespace", namespace, "port-forward", ...target], stopping.signal);
    url.host = `127.0.0.1:${port}`;
    if (url.protocol.startsWith("mongodb")) url.searchParams.set("directConnection", "true");
    return url.href;
  };
  const stores = openStores({
    mongo: await reach("MONGODB_URL"),
    rabbit: await reach("RABBITMQ_URL"),
    since: new Date(),
  });
  return {
    address,
    kubectl,
    ledger: createLedger(),
    stores,
    clientPatienceMs,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await stores[Symbol.asyncDispose]();
    },
  };
}

/** Begins again when it ends, as it does with its pod. */
async function forward(args: readonly string[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const child = spawn("kubectl", args, { stdio: "ignore", signal });
    await new Promise<void>((resolve) => {
      child.once("error", () => resolve());
      child.once("exit", () => resolve());
    });
    await wait(500);
  }
}
