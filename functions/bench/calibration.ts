/** What a message and a turn of each process cost, from what they took at two numbers of clients. */
import type { Demanded } from "./demand.ts";
import { type Cost, type Declared, type Simulated, simulate } from "./simulation.ts";

export interface Calibration {
  readonly costs: ReadonlyMap<string, Cost>;
  /**
   * How much of its cores' time the machine worked under load: while messages wait, a core still stands idle until the
   * system has woken up a process, and other work takes its part.
   */
  readonly used: number;
}

export interface Machine {
  readonly graph: readonly Declared[];
  readonly entry: string;
  readonly cores: number;
}

export type Clients = Pick<Demanded, "demands" | "perSecond"> & { readonly concurrency: number };

const requests = 3_000;
/** The halved steps come to rest long before. */
const steps = 12;

/** `low` shows what lone messages cost, `high` what they cost where turns are shared. */
export function calibrate(machine: Machine, low: Clients, high: Clients): Calibration {
  let costs = new Map<string, Cost>();
  const counted = predict(machine, { costs, used: 1 }, low.concurrency);
  for (const name of counted.work.keys()) {
    costs.set(name, { turnMs: 0, messageMs: perMessage(low, counted, name) });
  }
  for (let step = 0; step < steps; step++) {
    const seen = [low, high].map(({ concurrency }) =>
      predict(machine, { costs, used: 1 }, concurrency),
    );
    const [few, many] = seen as [Simulated, Simulated];
    costs = new Map(
      [...costs].map(([name, { turnMs }]) => {
        const [lone, shared] = [perMessage(low, few, name), perMessage(high, many, name)];
        const [atLow, atHigh] = [turnsPerMessage(few, name), turnsPerMessage(many, name)];
        const wanted = atLow > atHigh ? (lone - shared) / (atLow - atHigh) : 0;
        const next = (turnMs + Math.min(Math.max(0, wanted), lone / atLow)) / 2;
        return [name, { turnMs: next, messageMs: lone - next * atLow }];
      }),
    );
  }
  const { perSecond } = predict(machine, { costs, used: 1 }, high.concurrency);
  return { costs, used: high.perSecond / perSecond };
}

export function predict(
  { graph, entry, cores }: Machine,
  { costs, used }: Calibration,
  concurrency: number,
): Simulated {
  const costOf = (name: string) => {
    // Without costs only messages are counted, in no particular order.
    const { turnMs, messageMs } = costs.get(name) ?? { turnMs: 0, messageMs: 1 };
    return { turnMs: turnMs / used, messageMs: messageMs / used };
  };
  return simulate({ graph, entry, cores, concurrency, requests, costOf });
}

/** What a request takes of the CPU over all processes. */
export function cpuMsOf({ work }: Simulated, { costs }: Calibration): number {
  const spent = [...work].map(([name, { turns, messages }]) => {
    const { turnMs, messageMs } = costs.get(name) ?? { turnMs: 0, messageMs: 0 };
    return turns * turnMs + messages * messageMs;
  });
  return spent.reduce((sum, one) => sum + one, 0) / requests;
}

function perMessage({ demands }: Clients, { work }: Simulated, name: string): number {
  return ((demands[name] ?? 0) * requests) / (work.get(name)?.messages ?? 1);
}

function turnsPerMessage({ work }: Simulated, name: string): number {
  const { turns = 1, messages = 1 } = work.get(name) ?? {};
  return turns / messages;
}
