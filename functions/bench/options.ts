import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse, positive, UsageError } from "../local/options.ts";
import type { DatabaseKind } from "./backing.ts";
import { type ContenderName, contenderNames } from "./contenders.ts";

export interface BenchOptions {
  readonly contenders: readonly ContenderName[];
  /** Something else that answers like the gateway. */
  readonly against: URL | undefined;
  readonly database: DatabaseKind;
  readonly concurrencies: readonly number[];
  readonly rounds: number;
  readonly seconds: number;
  readonly requests: number;
  /** In place of the mission, unless it is checked. */
  readonly parts: Parts;
  readonly check: boolean;
  /** Files to write. */
  readonly json: string | undefined;
  readonly chart: string | undefined;
  readonly help: boolean;
}

export interface Parts {
  readonly cold: boolean;
  readonly whole: boolean;
  readonly growth: boolean;
  /** Another checkout, whose npm start is measured in turn with this one's. */
  readonly againstStart: string | undefined;
  readonly tracing: boolean;
  readonly profile: ContenderName | undefined;
  readonly model: boolean;
  readonly sizing: boolean;
}

export const benchUsage = `Measures the graph beside others that do the same, in turn, and shows medians over all rounds.

  npm run bench [-- options]

  --only a,b         of ${contenderNames.join(", ")} (ours,plain,floor)
  --against URL      one more: anything that answers /api/v1/greeting
  --database D       null: one that acknowledges at once and stores nothing; or real (null)
  --concurrency a,b  clients at the same time (1,10,25,50,100)
  --rounds N         how often each is measured (5)
  --seconds N        of load at each point (2)
  --requests N       before memory is read (5000)
  --json FILE        writes all figures
  --chart FILE       writes a picture, as SVG
  --check            all bars, each with its figure; exit code 1 where one does not hold. Measures
                     the mission, --cold, --whole and --growth
  --help             this text

In place of the mission:
  --cold             process start to first answer, beside functions-framework's hello world
  --whole            memory of npm start with all its processes
  --growth           CPU of chains of 1 to 16 functions
  --against-start F  npm start here and in the checkout F, in turn
  --profile NAME     where a contender's CPU goes, by package and by file of ours, at the last
                     number of --concurrency
  --tracing          our graph with and without tracing
  --model            what a simulation of the graph predicts, beside what is measured
  --sizing           the tables of knative/SIZING.md, from the inputs in it; measures nothing`;

export function parseBenchOptions(args: string[]): BenchOptions {
  const { values } = parse({
    args,
    options: {
      only: { type: "string", default: "ours,plain,floor" },
      against: { type: "string" },
      database: { type: "string", default: "null" },
      concurrency: { type: "string", default: "1,10,25,50,100" },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "2" },
      requests: { type: "string", default: "5000" },
      json: { type: "string" },
      chart: { type: "string" },
      check: { type: "boolean", default: false },
      cold: { type: "boolean", default: false },
      whole: { type: "boolean", default: false },
      growth: { type: "boolean", default: false },
      "against-start": { type: "string" },
      profile: { type: "string" },
      tracing: { type: "boolean", default: false },
      model: { type: "boolean", default: false },
      sizing: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { against, database, check, profile } = values;
  if (against !== undefined && !(/^http:/.test(against) && URL.canParse(against))) {
    throw new UsageError(`--against ${against}: a URL is expected, as in http://localhost:8080`);
  }
  if (database !== "null" && database !== "real") {
    throw new UsageError(`--database ${database}: null or real is expected`);
  }
  return {
    contenders: list(values.only).map((one) => contenderNamed("only", one)),
    against: against === undefined ? undefined : new URL(against),
    database,
    concurrencies: list(values.concurrency).map((one) => positive("concurrency", one, 1_000)),
    rounds: positive("rounds", values.rounds, 1_000),
    seconds: secondsOf(values.seconds),
    requests: positive("requests", values.requests, 1_000_000),
    parts: {
      cold: values.cold || check,
      whole: values.whole || check,
      growth: values.growth || check,
      againstStart: checkoutOf(values["against-start"]),
      profile: profile === undefined ? undefined : contenderNamed("profile", profile),
      tracing: values.tracing,
      model: values.model,
      sizing: values.sizing,
    },
    check,
    json: values.json,
    chart: values.chart,
    help: values.help,
  };
}

function list(text: string): string[] {
  return text.split(",").filter(Boolean);
}

function checkoutOf(folder: string | undefined): string | undefined {
  if (folder === undefined) return undefined;
  const missing = ["package.json", "node_modules"].find((one) => !existsSync(join(folder, one)));
  if (missing === undefined) return resolve(folder);
  throw new UsageError(
    `--against-start ${folder}: there is no ${missing}; a checkout is expected in which npm ci has run`,
  );
}

function contenderNamed(option: string, name: string): ContenderName {
  const found = contenderNames.find((one) => one === name);
  if (found) return found;
  throw new UsageError(`--${option} ${name}: ${contenderNames.join(", ")} are there`);
}

function secondsOf(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (seconds > 0 && seconds <= 600) return seconds;
  throw new UsageError(`--seconds ${text}: a number up to 600 is expected`);
}
