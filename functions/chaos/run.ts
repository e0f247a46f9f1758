import type { Plugin } from "esbuild";
import { type ExperimentOptions, experiment, type Row } from "./experiment.ts";
import type { Fault } from "./fault.ts";
import { startLab } from "./lab.ts";

export interface RunOptions extends ExperimentOptions {
  readonly faults: readonly Fault[];
  readonly plugins?: readonly Plugin[];
}

export interface Audience {
  readonly signal?: AbortSignal;
  report(line: string): void;
  onRow(row: Row): void;
}

/** Each fault in its turn, on one system for all that need the same: what breaks for good shows in the next. */
export async function runFaults(options: RunOptions, audience: Audience): Promise<void> {
  const { signal, report, onRow } = audience;
  for (const kind of ["graph", "pair"] as const) {
    const faults = options.faults.filter(({ on = "graph" }) => on === kind);
    if (faults.length === 0 || signal?.aborted) continue;
    await using lab = await startLab({
      report,
      pair: kind === "pair",
      smallDisks: faults.some(({ name }) => name.startsWith("full disk")),
      ...(options.plugins && { plugins: options.plugins }),
    });
    for (const fault of faults) {
      if (signal?.aborted) return;
      const reason = fault.skip?.(lab);
      if (reason !== undefined) onRow({ ...nothing, fault: fault.name, skipped: reason });
      else onRow(await experiment(fault, lab, options));
    }
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
  problems: [],
};
