/** The contenders of a run, started, measured and ended. */

import { buildFunctions } from "./built.ts";
import { against, type Contender, graphNames } from "./contender.ts";
import { startContender } from "./contenders.ts";
import { startLoadGenerator } from "./load.ts";
import { type Measured, measure } from "./measure.ts";
import type { BenchOptions } from "./options.ts";
import { type Size, sizesOf } from "./size.ts";

export interface MissionResult {
  readonly database: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly requests: number;
  readonly contenders: readonly Measured[];
  /** Of our functions. */
  readonly sizes: readonly Size[];
}

export type MissionOptions = Pick<
  BenchOptions,
  "contenders" | "against" | "database" | "concurrencies" | "rounds" | "seconds" | "requests"
>;

export interface RunHooks {
  readonly signal?: AbortSignal;
  /** Of a broker that is there already, for one contender. */
  readonly env?: NodeJS.ProcessEnv;
  report(line: string): void;
}

/** All contenders stand while one is measured; idle ones take next to nothing. */
export async function runMission(
  options: MissionOptions,
  { signal, report, env }: RunHooks,
): Promise<MissionResult> {
  await using stack = new AsyncDisposableStack();
  const { database, rounds, seconds, requests, concurrencies } = options;
  const needed = options.contenders.some((name) => name.startsWith("ours"));
  if (needed) report(`building ${graphNames.join(", ")}`);
  const built = needed ? stack.use(await buildFunctions(graphNames)) : undefined;
  const sizes = built ? sizesOf(built, graphNames) : [];
  const contenders: Contender[] = [];
  for (const name of options.contenders) {
    signal?.throwIfAborted();
    report(`starting ${name}`);
    contenders.push(stack.use(await startContender(name, { database, built, env })));
  }
  if (options.against) contenders.push(against(options.against));
  const load = stack.use(startLoadGenerator());
  const measured = await measure({
    ...{ contenders, load, concurrencies, rounds, seconds, requests, report },
    ...(signal && { signal }),
  });
  return { database, rounds, seconds, requests, contenders: measured, sizes };
}
