import type { Lab } from "./lab.ts";

/** Something that happens to a system. */
export interface Fault {
  readonly name: string;
  /** Lets it happen, and settles when it is over: from then on the time to recover counts. */
  run(lab: Lab): Promise<void>;
  /** Why it cannot happen on this machine. */
  skip?(lab: Lab): string | undefined;
  /** The gateway itself is away for a while, so that clients' connections break. */
  readonly cutsClients?: boolean;
  /** Clocks are moved: the times in documents say nothing of when they were made. */
  readonly movesClocks?: boolean;
  /** Not one request may fail. */
  readonly strict?: boolean;
  /** The system that it happens to. */
  readonly on?: SystemKind;
}

/** graph: one of each function. pair: two of each behind a balancer. start: `npm start`, in a copy of this clone. */
export type SystemKind = "graph" | "pair" | "start";
