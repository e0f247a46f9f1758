import { setTimeout as wait } from "node:timers/promises";
import type { Plugin } from "esbuild";
import { openCluster } from "./cluster.ts";
import { type ExperimentOptions, experiment, type Row } from "./experiment.ts";
import type { Fault, SystemKind, Systems } from "./fault.ts";
import { startLab } from "./lab.ts";
import { startLoad } from "./load.ts";
import { startNpmStart, whyNoNpmStart } from "./npm-start.ts";
import type { System } from "./system.ts";

export interface RunOptions extends ExperimentOptions {
  readonly faults: readonly Fault[];
  /** A cluster, in place of systems of our own. */
  readonly against?: URL | undefined;
  readonly namespace?: string;
  /** The functions that run as bundles, where it is not all. */
  readonly built?: readonly string[];
  /** Changes to the source of those. */
  readonly plugins?: readonly Plugin[];
}

export interface Audience {
  readonly signal?: AbortSignal;
  report(line: string): void;
  onRow(row: Row): void;
}

type Open = {
  [Kind in SystemKind]: (
    options: RunOptions,
    report: (line: string) => void,
  ) => Promise<Systems[Kind] | string>;
};

/** Each resolves to why there is none here, when there is none. */
const systems: Open = {
  graph: (options, report) =>
    startLab({
      report,
      smallDisks: options.faults.some(({ name }) => name.startsWith("full disk")),
      ...(options.plugins && { plugins: options.plugins }),
      ...(options.built && { built: options.built }),
    }),
  pair: (_, report) => startLab({ report, pair: true }),
  start: async () => (await whyNoNpmStart()) ?? startNpmStart(),
  async cluster({ against, namespace = "dev" }) {
    return against ? openCluster(against, namespace) : "it needs --against ADDRESS";
  },
};

/** Each fault in its turn, on one system for all that need the same: what breaks for good shows in the next. */
export async function runFaults(options: RunOptions, audience: Audience): Promise<void> {
  for (const kind of Object.keys(systems) as SystemKind[]) await runOn(kind, options, audience);
}

async function runOn<Kind extends SystemKind>(
  kind: Kind,
  options: RunOptions,
  { signal, report, onRow }: Audience,
): Promise<void> {
  const faults = options.faults.filter((fault) => fault.on === kind);
  if (faults.length === 0 || signal?.aborted) return;
  const opened = await systems[kind](options, report);
  const skipped = (fault: string, why: string) => onRow({ ...nothing, fault, skipped: why });
  if (typeof opened === "string") {
    for (const { name } of faults) skipped(name, opened);
    return;
  }
  await using system = opened;
  await warmUp(system);
  for (const fault of faults) {
    if (signal?.aborted) return;
    // A fault of this kind takes a system of this kind, which TypeScript cannot follow.
    const run = fault.run as (on: typeof system) => Promise<void>;
    const bound = { ...fault, run: () => run(system) };
    const reason = (fault.skip as ((on: typeof system) => string | undefined) | undefined)?.(
      system,
    );
    if (reason !== undefined) skipped(fault.name, reason);
    else onRow(await experiment(bound, system, options));
  }
}

/** The first requests of a system compile code and create collections: they are no measure of what follows. */
async function warmUp({ address, ledger, clientPatienceMs }: System): Promise<void> {
  for (let right = 0, end = performance.now() + 60_000; right < 20; ) {
    const load = startLoad(address, 10, clientPatienceMs);
    await wait(100);
    await load.stop();
    ledger.add(load.done);
    const all = load.done.every(({ verdict }) => verdict.kind === "right");
    right = all ? right + load.done.length : 0;
    if (performance.now() > end)
      throw new Error("the system does not answer right even without a fault");
  }
}

const nothing: Row = {
  fault: "",
  requests: 0,
  right: 0,
  refused: 0,
  cut: 0,
  wrong: 0,
  lost: 0,
  doubled: 0,
  recoveredMs: 0,
  reasons: [],
  problems: [],
};
