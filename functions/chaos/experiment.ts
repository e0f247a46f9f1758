/** One fault under load, and what came of it. */
import { setTimeout as wait } from "node:timers/promises";
import type { Balance } from "./ledger.ts";
import { type Asked, type Load, startLoad } from "./load.ts";
import type { System } from "./system.ts";

export interface Row {
  readonly fault: string;
  readonly requests: number;
  readonly right: number;
  readonly refused: number;
  /** Connections that broke, of a gateway that was taken away. */
  readonly cut: number;
  readonly wrong: number;
  readonly lost: number;
  readonly doubled: number;
  /** From the fault's end until every later request is answered right, and every promise is kept. */
  readonly recoveredMs: number;
  /** What refusals and broken connections said, the most frequent first. */
  readonly reasons: readonly string[];
  /** What makes the run fail, in words. */
  readonly problems: readonly string[];
  /** Why it did not take place. */
  readonly skipped?: string;
}

export interface ExperimentOptions {
  rate: number;
  /** Of load before the fault, and after the system works again, ms. */
  calmMs: number;
  /** The longest that a system may take to work again. */
  boundMs: number;
  /** How long to wait for a system that does not come back, and for messages that do not arrive, ms. */
  patienceMs: number;
}

/** A fault that knows its system. */
export interface Happening {
  readonly name: string;
  readonly cutsClients?: boolean;
  readonly strict?: boolean;
  run(): Promise<void>;
}

/** What was answered this recently may still be on its way to F. */
const onTheWayMs = 1_000;

export async function experiment(
  fault: Happening,
  system: System,
  options: ExperimentOptions,
): Promise<Row> {
  const { rate, calmMs, boundMs, patienceMs } = options;
  const load = startLoad(system.address, rate, system.clientPatienceMs);
  let noted = 0;
  const note = () => {
    const news = load.done.slice(noted);
    noted += news.length;
    system.ledger.add(news);
  };
  const problems: string[] = [];
  let endedAt = 0;
  let backlogMs = 0;
  try {
    await wait(calmMs);
    await fault.run().catch((error: Error) => {
      problems.push(`the fault failed: ${error.message}`);
    });
    endedAt = Date.now();
    backlogMs = await untilSteady(load, system, { endedAt, calmMs, patienceMs, note });
  } finally {
    await load.stop();
  }
  note();
  const waiting = await settled(system, patienceMs);
  if (waiting) problems.push(waiting);

  const of = (kind: string) => load.done.filter(({ verdict }) => verdict.kind === kind);
  const failed = load.done.filter(({ verdict }) => verdict.kind !== "right");
  const late = failed.filter(({ sentAt }) => sentAt > endedAt).map(({ sentAt }) => sentAt);
  const lastLate = late.length > 0 ? Math.max(...late) - endedAt + 1_000 / rate : 0;
  const recoveredMs = Math.max(lastLate, backlogMs);
  const balance = difference(await system.ledger.compare(system.stores), system);
  problems.push(...balance.examples);
  const wrong = [...of("wrong"), ...(fault.cutsClients ? [] : of("cut"))];
  for (const { verdict } of wrong.slice(0, 3)) problems.push(`wrong: ${detailOf(verdict)}`);
  if (recoveredMs > boundMs) {
    const last = failed.at(-1);
    const said = last ? `; the last refusal: ${detailOf(last.verdict)}` : "";
    problems.push(`recovery took more than ${boundMs / 1_000} s${said}`);
  }
  if (fault.strict && failed.length > 0) {
    problems.push(`a request failed, and none may: ${detailOf(failed[0]?.verdict)}`);
  }
  return {
    fault: fault.name,
    requests: load.done.length,
    right: of("right").length,
    refused: of("refused").length,
    cut: fault.cutsClients ? of("cut").length : 0,
    wrong: wrong.length + balance.wrong,
    lost: balance.lost,
    doubled: balance.doubled,
    recoveredMs,
    reasons: reasonsOf(failed),
    problems,
  };
}

/** Settles when requests are answered right again and promises kept; how long the promises took, ms. */
async function untilSteady(
  load: Load,
  system: System,
  given: {
    endedAt: number;
    calmMs: number;
    patienceMs: number;
    note(): void;
  },
): Promise<number> {
  const { endedAt, calmMs, patienceMs, note } = given;
  let backlogMs = 0;
  for (;;) {
    note();
    // The right answers that nothing but right answers followed.
    const lastBad = load.done.findLast(({ verdict }) => verdict.kind !== "right")?.sentAt ?? 0;
    const since = Math.max(endedAt, lastBad);
    const right = load.done.findLast(({ sentAt }) => sentAt > since + calmMs);
    const now = Date.now();
    const missing = await system.ledger.missing(system.stores, now - onTheWayMs).catch(() => 1);
    if (missing > 0) backlogMs = Date.now() - endedAt;
    const hanging = now - (load.oldestPending() ?? now) > onTheWayMs;
    if (missing === 0 && !hanging && right) return backlogMs;
    if (now - endedAt > patienceMs) return patienceMs;
    await wait(100);
  }
}

/** Waits until no message waits and every promise is kept; what still waits then, in words. */
async function settled(system: System, patienceMs: number): Promise<string | undefined> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const missing = await system.ledger.missing(system.stores, Date.now()).catch(() => 1);
    const { queue, dead } = await system.stores.waiting().catch(() => ({ queue: -1, dead: 0 }));
    if (missing === 0 && queue === 0 && dead === 0) return undefined;
    if (Date.now() > end) {
      return `at the end ${missing} messages are not stored, ${queue} wait, ${dead} are dead letters`;
    }
    await wait(200);
  }
}

/** At most five, with how often each was said. */
function reasonsOf(failed: readonly Asked[]): string[] {
  const byText = Map.groupBy(failed, ({ verdict }) => detailOf(verdict));
  const counted = [...byText].map(([text, all]) => [all.length, text] as const);
  return counted
    .toSorted(([a], [b]) => b - a)
    .slice(0, 5)
    .map(([count, text]) => `${count} times: ${text}`);
}

const before = new WeakMap<System, Balance>();

/** The ledger is of the whole run: what is lost in a later fault shows there. */
function difference(now: Balance, system: System): Balance {
  const last = before.get(system) ?? { lost: 0, doubled: 0, wrong: 0, examples: [] };
  before.set(system, now);
  const more = now.lost + now.doubled + now.wrong > last.lost + last.doubled + last.wrong;
  return {
    lost: Math.max(0, now.lost - last.lost),
    doubled: Math.max(0, now.doubled - last.doubled),
    wrong: Math.max(0, now.wrong - last.wrong),
    examples: more ? now.examples : [],
  };
}

function detailOf(verdict: { kind: string; detail?: string } | undefined): string {
  return verdict?.detail ?? verdict?.kind ?? "";
}
