/**
 * A discrete-event simulation of the declared graph on one machine, asked by a closed loop of clients. Every process is
 * an event loop with one thread. One that has messages waits for a core, and in its turn takes all that have come: what
 * a turn costs by itself (waking up, reading, writing) is shared by them, so that a request costs less under load.
 */
import type { Definition } from "#host/kinds/definition";

/** What the simulation needs of a definition. */
export type Declared = Pick<Definition, "name" | "calls" | "effects" | "from">;

/** CPU ms on average; the single ones have an exponential distribution. */
export interface Cost {
  readonly turnMs: number;
  readonly messageMs: number;
}

export interface SimulationOptions {
  readonly graph: readonly Declared[];
  /** Where the clients ask. */
  readonly entry: string;
  readonly cores: number;
  readonly concurrency: number;
  readonly requests: number;
  costOf(process: string): Cost;
}

export interface Simulated {
  readonly perSecond: number;
  readonly meanMs: number;
  /** By process, of all requests and the work that follows them. */
  readonly work: ReadonlyMap<string, Work>;
}

export interface Work {
  readonly messages: number;
  readonly turns: number;
}

/** The same figures each time: its random numbers start with the same seed. */
export function simulate(options: SimulationOptions): Simulated {
  const { graph, entry, cores, concurrency, requests, costOf } = options;
  const machine = createMachine(cores, costOf);
  const { message } = machine;
  const byName = new Map(graph.map((one) => [one.name, one]));
  const consumers = new Map(graph.flatMap((one) => (one.from ? [[one.from, one.name]] : [])));

  /** A request to a function, with all that it calls; its answer goes to `done`. */
  const ask = (name: string, done: () => void) =>
    message(name, () => {
      const { calls = [], effects = [] } = byName.get(name) ?? {};
      let open = calls.length + effects.length;
      if (open === 0) return done();
      const arrived = () => message(name, () => --open === 0 && done());
      for (const callee of calls) ask(callee.name, arrived);
      for (const { system, destination } of effects) {
        if (system === "mongodb") message("database", arrived);
        else message("broker", () => confirmed(destination, arrived));
      }
    });
  const confirmed = (queue: string, arrived: () => void) => {
    arrived();
    const consumer = consumers.get(queue);
    if (consumer === undefined) return;
    message("bridge", () =>
      ask(consumer, () => message("bridge", () => message("broker", () => {}))),
    );
  };

  let [begun, answeredAt, tookMs] = [0, 0, 0];
  const client = () => {
    if (begun === requests) return;
    begun++;
    const sentAt = machine.now();
    ask(entry, () =>
      message("clients", () => {
        answeredAt = machine.now();
        tookMs += answeredAt - sentAt;
        client();
      }),
    );
  };
  for (let one = 0; one < concurrency; one++) client();
  machine.run();
  return {
    perSecond: (requests / answeredAt) * 1_000,
    meanMs: tookMs / requests,
    work: machine.work(),
  };
}

interface Process {
  readonly waiting: (() => void)[];
  /** Has a core, or waits for one. */
  active: boolean;
  messages: number;
  turns: number;
}

function createMachine(cores: number, costOf: (process: string) => Cost) {
  const processes = new Map<string, Process>();
  const ready: string[] = [];
  const events: { readonly at: number; readonly then: () => void }[] = [];
  const random = createRandom();
  let [now, free] = [0, cores];

  const after = (ms: number, then: () => void) => {
    const at = now + ms;
    const place = events.findLastIndex((event) => event.at <= at);
    events.splice(place + 1, 0, { at, then });
  };
  const spend = (meanMs: number, then: () => void) => after(-Math.log(1 - random()) * meanMs, then);
  const processOf = (name: string) => {
    const known = processes.get(name) ?? { waiting: [], active: false, messages: 0, turns: 0 };
    processes.set(name, known);
    return known;
  };
  const activate = (name: string) => {
    processOf(name).active = true;
    ready.push(name);
    // Not at once: what is sent at the same time arrives together.
    after(0, assign);
  };
  const assign = () => {
    while (free > 0 && ready.length > 0) {
      free--;
      turn(ready.shift() ?? "");
    }
  };
  const turn = (name: string) => {
    const process = processOf(name);
    const { turnMs, messageMs } = costOf(name);
    process.turns++;
    const batch = process.waiting.splice(0);
    const next = () => {
      const message = batch.shift();
      if (message) {
        spend(messageMs, () => {
          message();
          next();
        });
        return;
      }
      free++;
      process.active = false;
      if (process.waiting.length > 0) activate(name);
      assign();
    };
    spend(turnMs, next);
  };
  return {
    now: () => now,
    work: (): ReadonlyMap<string, Work> => processes,
    message(name: string, then: () => void): void {
      const process = processOf(name);
      process.messages++;
      process.waiting.push(then);
      if (!process.active) activate(name);
    },
    /** Until nothing is left to do. */
    run(): void {
      for (let event = events.shift(); event; event = events.shift()) {
        now = event.at;
        event.then();
      }
    },
  };
}

/** mulberry32. */
function createRandom(): () => number {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
