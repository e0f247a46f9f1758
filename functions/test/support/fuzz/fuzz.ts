/**
 * Inputs that no table names: fast-check makes them, of a seed, and finds the smallest of those that fail. `npm test`
 * always tries the same ones; `npm run fuzz -- --runs N --seed S` tries others.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { TestContext } from "node:test";
import fc from "fast-check";
import type { Target } from "./target.ts";

/** How many inputs each seam gets in `npm test`; more than 2,000 together. */
export const inputsOf = {
  http: 500,
  triggers: 300,
  events: 300,
  http2: 350,
  grpc: 350,
  amqp: 350,
  config: 800,
  faults: 250,
} as const;

export type Seam = keyof typeof inputsOf;

/** Set by `npm run fuzz`. */
export const runsVariable = "FUZZ_RUNS";
export const seedVariable = "FUZZ_SEED";

const { env } = process;
export const seed = Number(env[seedVariable] ?? 20_260_101);
export const runsOf = (seam: Seam): number => Number(env[runsVariable] ?? inputsOf[seam]);

/** The line that `npm run fuzz` adds up. */
export const tally = /^fuzz: (\d+) distinct inputs to (\w+)/;

export interface Fuzz<T> {
  seam: Seam;
  input: fc.Arbitrary<T>;
  /** What is sent for an input: two inputs that send the same are counted once. */
  bytesOf(input: T): Buffer | string;
  /** Sends it; throws for an answer that is wrong. */
  send(input: T): Promise<void>;
  /** The processes that must outlive it, none of them larger than before. */
  targets: readonly Target[];
  /** Throws where a function no longer answers right. */
  wellAfter(): Promise<void>;
}

const limitMs = 180_000 + 50 * Number(env[runsVariable] ?? 0);

/** The share that memory may grow by, after as many inputs as it was warmed up with. */
const growth = 0.2;

/** Tries the inputs one after another, and says how many there were. */
export async function fuzz<T>(context: TestContext, options: Fuzz<T>): Promise<void> {
  const { seam, input, bytesOf, send, targets, wellAfter } = options;
  const runs = runsOf(seam);
  const seen = new Set<string>();
  const property = fc.asyncProperty(input, async (value) => {
    await send(value);
    for (const target of targets) target.assertAlive();
    seen.add(createHash("sha1").update(bytesOf(value)).digest("base64"));
  });
  const attempt = (numRuns: number, salt: number) =>
    fc.assert(property, {
      seed: seed + salt,
      numRuns,
      plugins: [fc.skipEqualValues()],
      // Of a connection that hangs, each smaller input takes its time as well.
      interruptAfterTimeLimit: limitMs,
      markInterruptAsFailure: true,
    });
  await wellAfter();
  // Memory of a process that has served little grows by its caches and its compiled code alone.
  await attempt(Math.ceil(runs / 3), 1);
  const before = await Promise.all(targets.map((target) => target.memory()));
  seen.clear();
  await attempt(runs, 0);
  await wellAfter();
  const after = await Promise.all(targets.map((target) => target.memory()));
  const figures = targets.map(
    ({ name }, i) => `${name} ${mebibytes(before[i])} to ${mebibytes(after[i])} MiB`,
  );
  context.diagnostic(
    [`fuzz: ${seen.size} distinct inputs to ${seam}, seed ${seed}`, ...figures].join("; "),
  );
  assert.ok(seen.size >= runs * 0.9, `${seen.size} of ${runs} inputs are distinct`);
  for (const [i, target] of targets.entries()) {
    target.assertAlive();
    assert.equal(target.stderr(), "", `${target.name} wrote to stderr`);
    assert.ok((after[i] ?? 0) <= (before[i] ?? 0) * (1 + growth), figures[i]);
  }
}

function mebibytes(bytes = 0): number {
  return Math.round(bytes / 2 ** 20);
}
