/**
 * `--growth`: what a request costs as the chain of functions below its entry grows. An entry with one function below
 * it is a chain of 1, so that each chain has as many calls as functions.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addressVariable } from "#host/base/config";
import { makeClone } from "../test/support/clone.ts";
import { buildFunctions } from "./built.ts";
import { columns, showFigure } from "./columns.ts";
import { type Contender, startTree } from "./contender.ts";
import { startLoadGenerator } from "./load.ts";
import { sample } from "./measure.ts";
import type { RunHooks } from "./run.ts";
import { type Figure, figureOf } from "./statistics.ts";

export interface GrowthResult {
  /** CPU ms per request over all functions, by the length of the chain below the entry. */
  readonly cpuMs: Readonly<Record<string, Figure>>;
}

export const lengths = [1, 2, 4, 8, 16] as const;
const longest = 16;
const concurrency = 10;
const warmUpRequests = 1_000;
const path = "/api/greeting";

/** The last calls none. */
const names = Array.from({ length: longest + 1 }, (_, index) => `chain-${index}`);

export async function runGrowth(
  { rounds, seconds }: { rounds: number; seconds: number },
  { report, signal }: RunHooks,
): Promise<GrowthResult> {
  await using stack = new AsyncDisposableStack();
  report(`building ${names.length} functions that call each other`);
  const clone = stack.use(await makeClone());
  const functions = join(clone.folder, "functions");
  for (const [index, name] of names.entries()) {
    await mkdir(join(functions, name));
    await writeFile(join(functions, name, "index.ts"), sourceOf(index));
  }
  const built = stack.use(await buildFunctions(names, functions));
  const load = stack.use(startLoadGenerator());
  const graph = stack.use(
    await startTree({
      name: "chain",
      expected: { services: servicesOf(longest) },
      names,
      path,
      processOf(name, ports) {
        const { args, env } = built.imageOf(name).start;
        const addresses = [...ports].map(([callee, port]) => [
          addressVariable(callee),
          `127.0.0.1:${port}`,
        ]);
        const own = { PORT: String(ports.get(name)), HOST: "127.0.0.1" };
        return { args, env: { ...env, ...own, ...Object.fromEntries(addresses) } };
      },
    }),
  );
  await sample(graph, load, { concurrency, seconds: 0, requests: warmUpRequests });
  const taken = new Map<number, number[]>();
  for (let round = 1; round <= rounds; round++) {
    for (const length of lengths) {
      signal?.throwIfAborted();
      const { cpuMs, wrong, firstWrong } = await sample(endOf(graph, length), load, {
        concurrency,
        seconds,
      });
      if (wrong > 0) throw new Error(`a chain of ${length}: ${firstWrong}`);
      taken.set(length, [...(taken.get(length) ?? []), cpuMs]);
    }
    report(`chains, round ${round} of ${rounds}`);
  }
  return {
    cpuMs: Object.fromEntries(lengths.map((one) => [one, figureOf(taken.get(one) ?? [])])),
  };
}

/** A chain of 4 is the end of the longest: the same processes, asked at another place. */
function endOf(graph: Contender, length: number): Contender {
  const port = graph.port(names[longest - length] ?? "");
  return {
    ...graph,
    url: new URL(`http://127.0.0.1:${port}${path}`),
    expected: { services: servicesOf(length) },
  };
}

/** Callees before their callers. */
function servicesOf(length: number): string[] {
  return Array.from({ length: length + 1 }, (_, index) => `Chain-${longest - index}`);
}

/** Both protocols in turn, as in the graph. */
function sourceOf(index: number): string {
  const protocol = index % 2 === 0 ? "grpc" : "http";
  const callee = names[index + 1];
  return `import { greeter${callee ? `, ${protocol}` : ""} } from "#host";

export default greeter({
  name: "${names[index]}",
  greeting: "Hello, from ${names[index]}!",
${callee ? `  calls: [${protocol}("${callee}")],\n` : ""}});
`;
}

export function growthLines({ cpuMs }: GrowthResult): string[] {
  return [
    `CPU ms per request of an entry and a chain of functions below it, ${concurrency} clients`,
    ...columns([
      ["functions", "CPU ms/request", "of as many chains of 1", "per function added"],
      ...lengths.map((length, index) => {
        const before = lengths[index - 1];
        const added = before && (median(cpuMs, length) - median(cpuMs, before)) / (length - before);
        return [
          String(length),
          showFigure(cpuMs[length], 2),
          (median(cpuMs, length) / (median(cpuMs, 1) * length)).toFixed(2),
          added?.toFixed(2) ?? "",
        ];
      }),
    ]),
  ];
}

function median(figures: GrowthResult["cpuMs"], length: number): number {
  return figures[length]?.median ?? Number.NaN;
}
