/** `npm run bench`: the graph beside others that do the same, measured in turn. Linux only, for CPU and memory. */
import { writeFile } from "node:fs/promises";
import { UsageError } from "../local/options.ts";
import { listenForStop } from "../local/stop-signals.ts";
import { benchUsage, parseBenchOptions } from "./options.ts";
import { profileLines, runProfile } from "./profile.ts";
import { runMission } from "./run.ts";
import { missionLines } from "./table.ts";
import { runTracing } from "./tracing.ts";

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
  const save = async (figures: object) => {
    if (options.json) await writeFile(options.json, `${JSON.stringify(figures, null, 2)}\n`);
  };
  if (options.tracing) {
    await runTracing(options.rounds, (line) => say([line]));
    return 0;
  }
  const { stop: signal } = listenForStop();
  if (options.profile) {
    const profile = await runProfile(options.profile, options, { signal, report });
    say(profileLines(profile));
    await save({ profile });
    return 0;
  }
  const mission = await runMission(options, { signal, report });
  say(missionLines(mission));
  await save({ mission });
  return 0;
}

function say(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}

function report(line: string): void {
  process.stderr.write(`${line}\n`);
}
