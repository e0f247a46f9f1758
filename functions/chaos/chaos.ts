/** `npm run chaos`: lets faults happen to the real system under load, and compares what clients were told with what is stored. */

import { UsageError } from "../local/options.ts";
import { listenForStop } from "../local/stop-signals.ts";
import type { Row } from "./experiment.ts";
import { chaosUsage, parseChaosOptions } from "./options.ts";
import { runFaults } from "./run.ts";
import { headOf, lineOf, totalOf } from "./table.ts";

process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error instanceof UsageError ? error.message : error.stack}\n`);
  return error instanceof UsageError ? 2 : 1;
});

async function main(args: string[]): Promise<number> {
  const options = parseChaosOptions(args);
  const say = (line: string) => process.stdout.write(`${line}\n`);
  if (options.help) {
    say(chaosUsage);
    return 0;
  }
  const report = (line: string) => process.stderr.write(`${line}\n`);
  const { stop } = listenForStop();
  const rows: Row[] = [];
  for (let round = 1; round <= options.rounds && !stop.aborted; round++) {
    const now: Row[] = [];
    if (!options.json) say(headOf());
    await runFaults(options, {
      signal: stop,
      report,
      onRow(row) {
        now.push(row);
        say(options.json ? JSON.stringify({ round, ...row }) : lineOf(row));
      },
    });
    if (!options.json) say(lineOf(totalOf(now)));
    rows.push(...now);
  }
  return rows.every(({ problems }) => problems.length === 0) && !stop.aborted ? 0 : 1;
}
