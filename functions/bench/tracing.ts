/**
 * `npm run bench:tracing`: what tracing costs. Two graphs, one that tells a receiver of all its spans and one
 * that does not, answer the same load in turn, on their own brokers and databases; the medians are compared.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { startTestGraph, type TestGraph } from "../test/support/graph.ts";

const rounds = 7;
const load = ["-n", "1000", "-c", "25"];
const run = promisify(execFile);

/** Takes whatever it is sent and looks at nothing, as a receiver on another machine would cost. */
async function startSink() {
  let bytes = 0;
  const server = createServer((request, response) => {
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.once("end", () => response.end());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { endpoint, bytes: () => bytes, close: () => server.close() };
}

/** Requests per second, by hey. */
async function throughput(system: TestGraph): Promise<number> {
  const url = `http://127.0.0.1:${system.graph.addresses.get("gateway")}/api/greeting`;
  const { stdout } = await run("hey", [...load, url]).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new Error(
      "hey is needed: apt-get install hey, or go install github.com/rakyll/hey@latest",
    );
  });
  const answered = Number(/\[200\]\s+(\d+) responses/.exec(stdout)?.[1] ?? 0);
  if (answered !== Number(load[1])) throw new Error(`not all were answered:\n${stdout}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const sink = await startSink();
const off = await startTestGraph({ OTEL_SDK_DISABLED: "true" });
const on = await startTestGraph({ OTEL_EXPORTER_OTLP_ENDPOINT: sink.endpoint });
try {
  const seen = { off: [] as number[], on: [] as number[] };
  for (const system of [off, on, off, on]) await throughput(system);
  for (let round = 1; round <= rounds; round++) {
    seen.off.push(await throughput(off));
    seen.on.push(await throughput(on));
    say(`round ${round}: off ${seen.off.at(-1)?.toFixed(1)}/s, on ${seen.on.at(-1)?.toFixed(1)}/s`);
  }
  const [without, with_] = [median(seen.off), median(seen.on)];
  say(`median: off ${without.toFixed(1)}/s, on ${with_.toFixed(1)}/s`);
  say(`with tracing on, throughput is ${((with_ / without) * 100).toFixed(1)} % of that without`);
  say(`${sink.bytes()} bytes of spans were received`);
} finally {
  await Promise.all([off, on].map((system) => system[Symbol.asyncDispose]()));
  sink.close();
}
