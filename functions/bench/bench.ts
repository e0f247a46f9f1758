/** `npm run bench`: the graph beside others that do the same, measured in turn. Linux only, for CPU and memory. */
import { writeFile } from "node:fs/promises";
import { UsageError } from "../local/options.ts";
import { listenForStop } from "../local/stop-signals.ts";
import { barLines, barsOf } from "./bars.ts";
import { chartOf } from "./chart.ts";
import { coldLines, runCold } from "./cold.ts";
import { growthLines, runGrowth } from "./growth.ts";
import { modelLines, runModel } from "./model.ts";
import { type BenchOptions, benchUsage, parseBenchOptions } from "./options.ts";
import { profileLines, runProfile } from "./profile.ts";
import { type RunHooks, runMission } from "./run.ts";
import { sizingLines } from "./sizing-page.ts";
import { missionLines } from "./table.ts";
import { runTracing } from "./tracing.ts";
import { againstStartLines, runAgainstStart, runWhole, wholeLines } from "./whole.ts";

/** A cold start is short, so that more of them are taken; a start of everything is long. */
const coldStarts = 9;
const startRounds = 3;

process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error instanceof UsageError ? error.message : error.stack}\n`);
  return error instanceof UsageError ? 2 : 1;
});

async function main(args: string[]): Promise<number> {
  const options = parseBenchOptions(args);
  if (options.help) {
    say([benchUsage]);
    return 0;
  }
  const { json, chart, check } = options;
  const results = await run(options, { signal: listenForStop().stop, report });
  const bars = check ? barsOf(results) : [];
  if (check) say(barLines(bars));
  if (json) await writeFile(json, `${JSON.stringify({ ...results, bars }, null, 2)}\n`);
  if (chart && results.mission) await writeFile(chart, chartOf(results.mission));
  return bars.every(({ holds }) => holds) ? 0 : 1;
}

/** Each part is shown as soon as it is there. */
async function run(options: BenchOptions, hooks: RunHooks) {
  const { parts, check, rounds } = options;
  const { cold, whole, growth, againstStart, profile, tracing, model, sizing } = parts;
  const alone = Object.values(parts).some(Boolean) && !check;
  if (sizing) say(await sizingLines());
  if (tracing) await runTracing(rounds, (line) => say([line]));
  return {
    ...(!alone && { mission: shown(await runMission(options, hooks), missionLines) }),
    ...(cold && { cold: shown(await runCold(coldStarts, hooks), coldLines) }),
    ...(growth && { growth: shown(await runGrowth(options, hooks), growthLines) }),
    ...(whole && { whole: shown(await runWhole(options.requests, hooks), wholeLines) }),
    ...(againstStart && {
      againstStart: shown(
        await runAgainstStart(againstStart, Math.min(rounds, startRounds), hooks),
        againstStartLines,
      ),
    }),
    ...(model && { model: shown(await runModel(options, hooks), modelLines) }),
    ...(profile && { profile: shown(await runProfile(profile, options, hooks), profileLines) }),
  };
}

function shown<T>(result: T, lines: (result: T) => readonly string[]): T {
  say([...lines(result), ""]);
  return result;
}

function say(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}

function report(line: string): void {
  process.stderr.write(`${line}\n`);
}
