import type { Cluster } from "./cluster.ts";
import type { Lab } from "./lab.ts";
import type { NpmStart } from "./npm-start.ts";

/**
 * The systems. graph: one of each function. pair: two of each behind a balancer. start: `npm start`, in a copy of this
 * clone. cluster: what `--against` names.
 */
export interface Systems {
  graph: Lab;
  pair: Lab;
  start: NpmStart;
  cluster: Cluster;
}
export type SystemKind = keyof Systems;

/** Something that happens to a system. */
export interface FaultOf<Kind extends SystemKind> {
  readonly name: string;
  readonly on: Kind;
  /** Lets it happen, and settles when it is over: from then on the time to recover counts. */
  run(system: Systems[Kind]): Promise<void>;
  /** Why it cannot happen on this machine. */
  skip?(system: Systems[Kind]): string | undefined;
  /** The gateway itself is away for a while, so that clients' connections break. */
  readonly cutsClients?: boolean;
  /** Not one request may fail. */
  readonly strict?: boolean;
}

export type Fault = { [Kind in SystemKind]: FaultOf<Kind> }[SystemKind];

/** What is common to the faults of one file. */
export function on<Kind extends SystemKind>(
  kind: Kind,
  faults: readonly Omit<FaultOf<Kind>, "on">[],
): FaultOf<Kind>[] {
  return faults.map((fault) => ({ ...fault, on: kind }));
}
