/**
 * `npm run chaos`: lets faults happen to the real system under load, and compares what its clients were told with
 * what is stored.
 */
import { UsageError } from "../local/options.ts";
import { listenForStop } from "../local/stop-signals.ts";
import type { Row } from "./experiment.ts";
import { faults } from "./faults/index.ts";
import { startLab } from "./lab.ts";
import { mutate, mutations } from "./mutations.ts";
import { type ChaosOptions, chaosUsage, parseChaosOptions, select } from "./options.ts";
import { runFaults } from "./run.ts";
import { measureCapacity, showSoak, soak } from "./soak.ts";
import { headOf, lineOf, totalOf } from "./table.ts";

process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error instanceof UsageError ? error.message : error.stack}\n`);
  return error instanceof UsageError ? 2 : 1;
});

async function main(args: string[]): Promise<number> {
  const options = parseChaosOptions(args);
  if (options.help) {
    say(chaosUsage);
    return 0;
  }
  const { stop } = listenForStop();
  if (options.mutations) return (await allAreFound(options, stop)) ? 0 : 1;
  if (options.soakMs !== undefined) return (await soaks(options.soakMs, options, stop)) ? 0 : 1;
  let sound = true;
  for (let round = 1; round <= options.rounds && !stop.aborted; round++) {
    const rows = await oneRound(options, stop, round);
    sound &&= rows.every(({ problems }) => problems.length === 0);
  }
  return sound && !stop.aborted ? 0 : 1;
}

async function oneRound(options: ChaosOptions, signal: AbortSignal, round: number): Promise<Row[]> {
  const rows: Row[] = [];
  if (!options.json) say(headOf());
  const plugins = options.mutation && [mutate(options.mutation)];
  await runFaults(
    {
      ...options,
      ...(plugins && { plugins }),
      ...(options.source && { built: options.mutation?.functions ?? [] }),
    },
    {
      signal,
      report,
      onRow(row) {
        rows.push(row);
        say(options.json ? JSON.stringify({ round, ...row }) : lineOf(row));
      },
    },
  );
  if (!options.json) say(lineOf(totalOf(rows)));
  return rows;
}

async function soaks(lastsMs: number, { json }: ChaosOptions, signal: AbortSignal) {
  await using lab = await startLab({ report, direct: true });
  report("measuring what the system can take");
  const capacity = await measureCapacity(lab);
  report(
    `${capacity.toFixed(1)} requests/s with 25 clients; half of that for ${lastsMs / 1_000} s`,
  );
  const result = await soak(lab, capacity / 2, lastsMs, signal);
  say(json ? JSON.stringify(result) : showSoak(result));
  return result.problems.length === 0 && !signal.aborted;
}

/** Each broken build has to lose something that the ledger sees. */
async function allAreFound(options: ChaosOptions, signal: AbortSignal): Promise<boolean> {
  let all = true;
  for (const mutation of mutations) {
    if (signal.aborted) return false;
    if (!options.json) say(`${mutation.name}: ${mutation.title}`);
    const shown = select(mutation.shownBy, faults);
    const rows = await oneRound({ ...options, faults: shown, mutation }, signal, 1);
    const lost = rows.reduce((sum, row) => sum + row.lost, 0);
    report(lost > 0 ? `${mutation.name}: found` : `${mutation.name}: NOT FOUND`);
    all &&= lost > 0;
  }
  return all;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function report(line: string): void {
  process.stderr.write(`${line}\n`);
}
