/**
 * `npm run bench:tracing`: what tracing costs. Two graphs, one that sends all its spans to a receiver and one
 * that does not, answer the same load in turn, on their own brokers and databases; the medians are compared. Linux only, for the CPU times.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
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

interface Measured {
  perSecond: number;
  /** Of all functions together, which other work on the machine changes less than the throughput. */
  cpuMsPerRequest: number;
}

/** CPU time that the functions have used so far, in clock ticks of 10 ms. */
function cpuTicks({ graph }: TestGraph): number {
  const ticks = graph.functions.map(({ name }) => {
    const stat = readFileSync(`/proc/${graph.function(name).pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, one) => sum + one, 0);
}

/** One load, by hey. */
async function measure(system: TestGraph): Promise<Measured> {
  const before = cpuTicks(system);
  const url = `http://127.0.0.1:${system.graph.addresses.get("gateway")}/api/greeting`;
  const { stdout } = await run("hey", [...load, url]).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new Error(
      "hey is needed: apt-get install hey, or go install github.com/rakyll/hey@latest",
    );
  });
  const answered = Number(/\[200\]\s+(\d+) responses/.exec(stdout)?.[1] ?? 0);
  if (answered !== Number(load[1])) throw new Error(`not all were answered:\n${stdout}`);
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    cpuMsPerRequest: ((cpuTicks(system) - before) * 10) / answered,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function show(measured: Measured | undefined): string {
  return `${measured?.perSecond.toFixed(1)}/s, ${measured?.cpuMsPerRequest.toFixed(2)} ms of CPU each`;
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const sink = await startSink();
const off = await startTestGraph({ OTEL_SDK_DISABLED: "true" });
// As in a cluster, where who receives the spans is no work of the functions.
const on = await startTestGraph({}, { spansTo: sink.endpoint });
try {
  const seen = { off: [] as Measured[], on: [] as Measured[] };
  for (const system of [off, on, off, on, off, on]) await measure(system);
  for (let round = 1; round <= rounds; round++) {
    seen.off.push(await measure(off));
    seen.on.push(await measure(on));
    say(`round ${round}: off ${show(seen.off.at(-1))}; on ${show(seen.on.at(-1))}`);
  }
  const medians = (of: readonly Measured[]): Measured => ({
    perSecond: median(of.map(({ perSecond }) => perSecond)),
    cpuMsPerRequest: median(of.map(({ cpuMsPerRequest }) => cpuMsPerRequest)),
  });
  const [without, traced] = [medians(seen.off), medians(seen.on)];
  say(`medians: off ${show(without)}; on ${show(traced)}`);
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  say(`throughput with tracing: ${percent(traced.perSecond / without.perSecond)} of that without`);
  say(`CPU with tracing: ${percent(traced.cpuMsPerRequest / without.cpuMsPerRequest)}`);
  say(`${sink.bytes()} bytes of spans were received`);
} finally {
  await Promise.all([off, on].map((system) => system[Symbol.asyncDispose]()));
  sink.close();
}
