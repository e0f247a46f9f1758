/**
 * The real functions at zero, each behind a stand-in for Knative's activator: the first connection starts the function's
 * process, and is held until the function is ready. No start is shorter than `startMs`, as on a cluster.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { addressVariable } from "#host/base/config";
import { loadFunctions } from "../../local/discover.ts";
import { wakeGraphOf } from "../../local/generate/manifests/wake.ts";
import { type Run, runNode } from "./run-function.ts";
import { until } from "./until.ts";

export interface AtZero extends AsyncDisposable {
  /** "start service-a" and "ready service-a", in the order in which they happened. */
  readonly events: readonly string[];
  /** The first line of each connection to the function: "GET /wake HTTP/1.1", or gRPC's "PRI * HTTP/2.0". */
  asked(name: string): readonly string[];
  /** All wakes, by function: "service-a". */
  wakes(): string[];
  /** Of the stand-in. */
  port(name: string): number;
}

const startMs = 1_000;
const main = fileURLToPath(new URL("../../host/main.ts", import.meta.url));

/** `env` is for every function. */
export async function startAtZero(env: Record<string, string>): Promise<AtZero> {
  const functions = await loadFunctions();
  const events: string[] = [];
  const runs: Run[] = [];
  const standIns = new Map<string, StandIn>();
  const addresses: Record<string, string> = {};
  for (const one of functions) {
    const wake = wakeGraphOf(one, functions);
    const start = async () => {
      events.push(`start ${one.name}`);
      const run = runNode([main], {
        ...{ FUNCTION_TARGET: one.name, HOST: "127.0.0.1", PORT: "0", DEADLINE_MS: "60000" },
        ...{ WAKE: JSON.stringify(wake), ...addresses, ...env },
      });
      runs.push(run);
      const [port] = await Promise.all([portOf(run), wait(startMs)]);
      events.push(`ready ${one.name}`);
      return port;
    };
    const standIn = await startStandIn(start);
    standIns.set(one.name, standIn);
    addresses[addressVariable(one.name)] = `127.0.0.1:${standIn.port}`;
  }
  const find = (name: string) => standIns.get(name) ?? assert.fail(name);
  return {
    events,
    asked: (name) => find(name).asked,
    wakes: () =>
      [...standIns].flatMap(([name, { asked }]) =>
        asked.flatMap((line) => (line === "GET /wake HTTP/1.1" ? [name] : [])),
      ),
    port: (name) => find(name).port,
    async [Symbol.asyncDispose]() {
      for (const { close } of standIns.values()) close();
      await Promise.all(runs.map((run) => run[Symbol.asyncDispose]()));
    },
  };
}

interface StandIn {
  readonly port: number;
  readonly asked: string[];
  close(): void;
}

async function startStandIn(start: () => Promise<number>): Promise<StandIn> {
  const asked: string[] = [];
  const clients = new Set<Socket>();
  let started: Promise<number> | undefined;
  const server = createServer((client) => {
    clients.add(client);
    client.on("error", () => {});
    client.once("close", () => clients.delete(client));
    client.once("data", async (chunk) => {
      client.pause();
      asked.push(chunk.toString("latin1").split("\r\n", 1)[0] ?? "");
      started ??= start();
      const upstream = connect(await started, "127.0.0.1");
      upstream.on("error", () => client.destroy());
      client.once("close", () => upstream.destroy());
      upstream.write(chunk);
      client.pipe(upstream).pipe(client);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close() {
      server.close();
      for (const client of clients) client.destroy();
    },
  };
}

/** Waits until it listens. */
async function portOf(run: Run): Promise<number> {
  const listening = () => /"listening on port (\d+)"/.exec(run.stdout())?.[1];
  await until("it listens", () => listening() ?? run.child.exitCode !== null, 60_000);
  return Number(listening() ?? assert.fail(run.stderr()));
}
