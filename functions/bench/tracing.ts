/**
 * What tracing costs: two graphs, one that sends all its spans to a receiver and one that makes none, answer the
 * same load in turn, from their sources, on their own brokers and databases; the medians are compared.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startTestGraph, type TestGraph } from "../test/support/graph.ts";
import { type LoadGenerator, startLoadGenerator } from "./load.ts";
import { cpuMsOf } from "./processes.ts";
import { figureOf } from "./statistics.ts";

const load = { concurrency: 25, seconds: 0, requests: 1_000 };
const warmUps = 3;

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
  return { endpoint, bytes: () => bytes, [Symbol.dispose]: () => void server.close() };
}

interface Measured {
  readonly perSecond: number;
  /** Of all functions together, which other work on the machine changes less than the throughput. */
  readonly cpuMsPerRequest: number;
}

async function measure({ graph }: TestGraph, generator: LoadGenerator): Promise<Measured> {
  const pids = graph.functions.map(({ name }) => graph.function(name).pid ?? 0);
  const before = cpuMsOf(pids);
  const url = `http://127.0.0.1:${graph.addresses.get("gateway")}/api/greeting`;
  const result = await generator.run({ url, expected: "greetings", ...load });
  if (result.wrong > 0) throw new Error(`${result.wrong} answers were wrong: ${result.firstWrong}`);
  return { ...result, cpuMsPerRequest: (cpuMsOf(pids) - before) / result.right };
}

function show({ perSecond, cpuMsPerRequest }: Measured): string {
  return `${perSecond.toFixed(1)}/s, ${cpuMsPerRequest.toFixed(2)} ms of CPU each`;
}

function medians(of: readonly Measured[]): Measured {
  return {
    perSecond: figureOf(of.map(({ perSecond }) => perSecond)).median,
    cpuMsPerRequest: figureOf(of.map(({ cpuMsPerRequest }) => cpuMsPerRequest)).median,
  };
}

export async function runTracing(rounds: number, say: (line: string) => void): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const generator = stack.use(startLoadGenerator());
  const sink = stack.use(await startSink());
  const off = stack.use(await startTestGraph({ OTEL_SDK_DISABLED: "true" }));
  // As in a cluster, where receiving the spans is no work of the functions.
  const on = stack.use(await startTestGraph({}, { spansTo: sink.endpoint }));
  const seen = { off: [] as Measured[], on: [] as Measured[] };
  for (let time = 0; time < warmUps; time++) {
    for (const system of [off, on]) await measure(system, generator);
  }
  for (let round = 1; round <= rounds; round++) {
    const [without, traced] = [await measure(off, generator), await measure(on, generator)];
    seen.off.push(without);
    seen.on.push(traced);
    say(`round ${round}: off ${show(without)}; on ${show(traced)}`);
  }
  const [without, traced] = [medians(seen.off), medians(seen.on)];
  say(`medians: off ${show(without)}; on ${show(traced)}`);
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  say(`throughput with tracing: ${percent(traced.perSecond / without.perSecond)} of that without`);
  say(`CPU with tracing: ${percent(traced.cpuMsPerRequest / without.cpuMsPerRequest)}`);
  say(`${sink.bytes()} bytes of spans were received`);
}
