/**
 * `--model`: a simulation of the declared graph, calibrated by what this machine took at 1 and 25 clients, predicts the
 * other numbers of clients; predicted and measured stand side by side.
 */
import { availableParallelism } from "node:os";
import { loadFunctions } from "../local/discover.ts";
import { buildFunctions } from "./built.ts";
import { calibrate, cpuMsOf, predict } from "./calibration.ts";
import { columns } from "./columns.ts";
import { graphNames } from "./contender.ts";
import { startContender } from "./contenders.ts";
import { type Demanded, type Demands, medianOf, sampleDemands } from "./demand.ts";
import { startLoadGenerator } from "./load.ts";
import { sample } from "./measure.ts";
import type { BenchOptions } from "./options.ts";
import { residentMibOf } from "./processes.ts";
import type { RunHooks } from "./run.ts";

export interface ModelResult {
  readonly database: string;
  readonly points: readonly Predicted[];
  /** Share of the cores' time that was used at 25 clients. */
  readonly used: number;
  /** CPU ms per request by process, at 25 clients. */
  readonly demands: Demands;
  /** Of the largest function, at the end. */
  readonly functionMib: number;
}

export interface Predicted {
  readonly concurrency: number;
  /** Those that other work left, which the prediction knows. */
  readonly cores: number;
  readonly predicted: Figures;
  readonly measured: Figures;
}

interface Figures {
  readonly perSecond: number;
  readonly meanMs: number;
  /** Per request, over all processes. */
  readonly cpuMs: number;
}

const [low, high] = [1, 25] as const;
const entry = "gateway";

export async function runModel(
  options: Pick<BenchOptions, "database" | "concurrencies" | "rounds" | "seconds" | "requests">,
  { report, signal, env }: RunHooks,
): Promise<ModelResult> {
  await using stack = new AsyncDisposableStack();
  const { database, rounds, seconds, requests } = options;
  report(`building ${graphNames.join(", ")}`);
  const built = stack.use(await buildFunctions(graphNames));
  const ours = stack.use(await startContender("ours", { database, built, env }));
  const load = stack.use(startLoadGenerator());
  report(`${requests} requests to warm up`);
  await sample(ours, load, { concurrency: high, seconds: 0, requests });
  const concurrencies = [...new Set([low, high, ...options.concurrencies])].sort((a, b) => a - b);
  const taken = new Map<number, Demanded[]>(concurrencies.map((one) => [one, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [concurrency, samples] of taken) {
      signal?.throwIfAborted();
      samples.push(await sampleDemands(ours, load, { concurrency, seconds }));
    }
    report(`round ${round} of ${rounds}`);
  }
  const measured = new Map([...taken].map(([one, samples]) => [one, medianOf(samples)]));
  const functionMib = Math.max(...ours.processes.map(({ pid }) => residentMibOf(pid)));
  return { database, functionMib, ...(await compare(measured)) };
}

/** The measured points have to hold those of 1 and of 25 clients. */
export async function compare(
  measured: ReadonlyMap<number, Demanded>,
): Promise<Pick<ModelResult, "points" | "demands" | "used">> {
  const declared = await loadFunctions();
  const graph = declared.flatMap(({ definition }) => (definition ? [definition] : []));
  const machine = { graph, entry, cores: availableParallelism() };
  const at = (concurrency: number) => ({ concurrency, ...(measured.get(concurrency) as Demanded) });
  const { costs, used } = calibrate(machine, at(low), at(high));
  const points = [...measured].map(([concurrency, { cores, ...taken }]): Predicted => {
    const calibration = { costs, used: used * (cores / at(high).cores) };
    const predicted = predict(machine, calibration, concurrency);
    return {
      concurrency,
      cores,
      predicted: { ...predicted, cpuMs: cpuMsOf(predicted, calibration) },
      measured: { ...taken, cpuMs: sum(taken.demands) },
    };
  });
  const { demands } = at(high);
  return { points, demands, used };
}

function sum(demands: Demands): number {
  return Object.values(demands).reduce((total, one) => total + one, 0);
}

export function modelLines({ database, points, used, demands, functionMib }: ModelResult) {
  const side = (
    of: (figures: Figures) => number,
    digits: number,
    { predicted, measured }: Predicted,
  ) => [
    of(predicted).toFixed(digits),
    of(measured).toFixed(digits),
    (of(predicted) / of(measured)).toFixed(2),
  ];
  return [
    `The model beside what was measured, database ${database}. Its inputs: CPU of each process at ${low} and ${high}`,
    `clients, requests/s at ${high}, the cores that other work left. All else is predicted`,
    ...columns([
      [
        "clients",
        "cores left",
        ...["requests/s", "mean ms", "CPU ms"].flatMap((one) => [one, "measured", "ratio"]),
      ],
      ...points.map((point) => [
        String(point.concurrency),
        point.cores.toFixed(2),
        ...side(({ perSecond }) => perSecond, 0, point),
        ...side(({ meanMs }) => meanMs, 1, point),
        ...side(({ cpuMs }) => cpuMs, 2, point),
      ]),
    ]),
    `At ${high} clients the graph used ${(used * 100).toFixed(0)} % of the time of all cores`,
    "",
    `Inputs for knative/SIZING.md, at ${high} clients`,
    ...columns([
      ["input", "value"],
      ...Object.entries(demands).map(([name, ms]) => [`cpu.${name}`, ms.toFixed(2)]),
      ["memory.function", functionMib.toFixed(0)],
    ]),
  ];
}
