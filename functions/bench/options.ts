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
  /** Files to write. */
  readonly json: string | undefined;
  /** In place of all else: the graph with and without tracing. */
  readonly tracing: boolean;
  /** In place of all else: where this contender's CPU goes. */
  readonly profile: ContenderName | undefined;
  readonly help: boolean;
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
  --json FILE        all figures
  --profile NAME     only where a contender's CPU goes, by package and by file of ours, at the last
                     number of --concurrency
  --tracing          only what tracing costs: our graph with and without it
  --help             this text`;

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
      tracing: { type: "boolean", default: false },
      profile: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const { against, database } = values;
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
    json: values.json,
    tracing: values.tracing,
    profile: values.profile === undefined ? undefined : contenderNamed("profile", values.profile),
    help: values.help,
  };
}

function list(text: string): string[] {
  return text.split(",").filter(Boolean);
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
