import { parse, positive, UsageError } from "../local/options.ts";
import type { Fault } from "./fault.ts";
import { faults, faultsOfCluster } from "./faults/index.ts";
import { type Mutation, mutations } from "./mutations.ts";

export interface ChaosOptions {
  readonly faults: readonly Fault[];
  readonly rate: number;
  readonly calmMs: number;
  readonly boundMs: number;
  readonly patienceMs: number;
  /** A build that is broken on purpose. */
  readonly mutation: Mutation | undefined;
  readonly mutations: boolean;
  readonly rounds: number;
  /** How long to soak, ms. */
  readonly soakMs: number | undefined;
  /** The gateway of a cluster. */
  readonly against: URL | undefined;
  readonly namespace: string;
  readonly source: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

export const chaosUsage = `Lets faults happen to the real system under load, one after another, and compares what its
clients were told with what is stored. Exit code 1 where anything was wrong, lost or doubled,
or where the system did not recover in time.

  npm run chaos [-- options]

  --faults a,b      only those whose name has one of these in it
  --rate N          requests a second (25)
  --seconds N       of load before each fault, and after the system works again (2)
  --bound N         the most seconds that it may take to work again (5)
  --rounds N        how often (1)
  --soak TIME       10m, say: no fault, but half of the load that the system can take
  --against URL     the gateway of a cluster, whose pods kubectl deletes, with --namespace N (dev)
  --patience N      seconds to wait for a system that does not come back (40)
  --mutation NAME   a build that is broken on purpose: acknowledge, confirm or dead-letter
  --mutations       each of these, with the fault that shows it; exit code 0 where all are found
  --source          functions run from their source, and not as bundles like those of the images
  --json            one JSON object per row
  --help            this text`;

export function parseChaosOptions(args: string[]): ChaosOptions {
  const { values } = parse({
    args,
    options: {
      faults: { type: "string", default: "" },
      rate: { type: "string", default: "25" },
      seconds: { type: "string", default: "2" },
      bound: { type: "string", default: "5" },
      rounds: { type: "string", default: "1" },
      soak: { type: "string" },
      against: { type: "string" },
      namespace: { type: "string", default: "dev" },
      patience: { type: "string", default: "40" },
      mutation: { type: "string" },
      mutations: { type: "boolean", default: false },
      source: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { against } = values;
  if (against !== undefined && !(/^https?:/.test(against) && URL.canParse(against))) {
    throw new UsageError(`--against ${against}: a URL is expected, as in http://localhost:8080`);
  }
  return {
    faults: select(values.faults, against === undefined ? faults : faultsOfCluster),
    against: against === undefined ? undefined : new URL(against),
    namespace: values.namespace,
    rate: positive("rate", values.rate, 1_000),
    calmMs: positive("seconds", values.seconds, 600) * 1_000,
    boundMs: positive("bound", values.bound, 600) * 1_000,
    patienceMs: positive("patience", values.patience, 3_600) * 1_000,
    mutation: values.mutation === undefined ? undefined : mutationNamed(values.mutation),
    mutations: values.mutations,
    soakMs: values.soak === undefined ? undefined : durationOf(values.soak),
    rounds: positive("rounds", values.rounds, 1_000),
    source: values.source,
    json: values.json,
    help: values.help,
  };
}

function durationOf(text: string): number {
  const [, number, unit] = /^(\d{1,4})([sm])$/.exec(text) ?? [];
  const ms = Number(number) * (unit === "m" ? 60_000 : 1_000);
  // Less shows neither a slope nor a first and a last minute.
  if (ms >= 60_000) return ms;
  throw new UsageError(`--soak ${text}: a time of 60s or more is expected, as in 10m`);
}

function mutationNamed(name: string): Mutation {
  const found = mutations.find((one) => one.name === name);
  if (found) return found;
  const names = mutations.map((one) => one.name).join(", ");
  throw new UsageError(`--mutation ${name}: one of ${names} is expected`);
}

/** Those whose name has one of the parts in it; all of them for no part. */
export function select(text: string, faults: readonly Fault[]): readonly Fault[] {
  const wanted = text
    .toLowerCase()
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
  if (wanted.length === 0) return faults;
  for (const part of wanted) {
    if (faults.some(({ name }) => name.toLowerCase().includes(part))) continue;
    const names = faults.map(({ name }) => `  ${name}`).join("\n");
    throw new UsageError(`--faults ${part}: no fault has this in its name; there are\n${names}`);
  }
  return faults.filter(({ name }) => wanted.some((part) => name.toLowerCase().includes(part)));
}
