import { parse, positive, UsageError } from "../local/options.ts";
import type { Fault } from "./fault.ts";
import { faults } from "./faults/index.ts";

export interface ChaosOptions {
  readonly faults: readonly Fault[];
  readonly rate: number;
  readonly calmMs: number;
  readonly boundMs: number;
  readonly rounds: number;
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
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  return {
    faults: select(values.faults),
    rate: positive("rate", values.rate, 1_000),
    calmMs: positive("seconds", values.seconds, 600) * 1_000,
    boundMs: positive("bound", values.bound, 600) * 1_000,
    rounds: positive("rounds", values.rounds, 1_000),
    json: values.json,
    help: values.help,
  };
}

function select(text: string): readonly Fault[] {
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
