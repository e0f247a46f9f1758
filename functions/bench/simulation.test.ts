import assert from "node:assert/strict";
import { test } from "node:test";
import { type Declared, type SimulationOptions, simulate } from "./simulation.ts";

const call = (name: string) => ({ name, protocol: "grpc" }) as const;
const effect = (system: "mongodb" | "rabbitmq", destination: string) => ({ system, destination });
const plain = { calls: [], effects: [] };

const pair: readonly Declared[] = [
  { ...plain, name: "a", calls: [call("b")] },
  { ...plain, name: "b" },
];
const queued: readonly Declared[] = [
  { ...plain, name: "a", effects: [effect("rabbitmq", "letters")] },
  { ...plain, name: "f", from: "letters", effects: [effect("mongodb", "f.letters")] },
];

function run(graph: readonly Declared[], costs: Record<string, number>, more: object = {}) {
  const usual = { graph, entry: "a", cores: 2, concurrency: 1, requests: 20_000 };
  const options: SimulationOptions = {
    ...usual,
    costOf: (name) => ({ turnMs: 0, messageMs: costs[name] ?? 0 }),
    ...more,
  };
  return simulate(options);
}

function near(actual: number, expected: number, share = 0.03): void {
  const ratio = actual / expected;
  assert.ok(Math.abs(ratio - 1) < share, `${actual} is not near ${expected}`);
}

test("two equal stations with a core each answer as the balanced network of queueing theory", () => {
  // Process a has two messages of 1 ms, b one of 2: N clients get N / (D (N + stations - 1)) answers.
  for (const concurrency of [1, 2, 10, 50]) {
    const { perSecond, meanMs } = run(pair, { a: 1, b: 2 }, { concurrency });
    near(perSecond, (1_000 * concurrency) / (2 * (concurrency + 1)));
    near(meanMs, 2 * (concurrency + 1));
  }
});

test("one core gives as many answers as it has time for, however many clients ask", () => {
  for (const concurrency of [1, 25]) {
    near(run(pair, { a: 1, b: 2 }, { cores: 1, concurrency }).perSecond, 250);
  }
});

test("a lone client waits for the broker, and not for what the queue's consumer does", () => {
  const costs = { a: 2, broker: 0.1, bridge: 0.1, f: 1, database: 0.1 };
  const { meanMs, work } = run(queued, costs, { cores: 8 });
  near(meanMs, 2 * 2 + 0.1);
  const each = (name: string) => (work.get(name)?.messages ?? 0) / 20_000;
  // The broker gets the message and the bridge's acknowledgement; f the event and the save's.
  assert.deepEqual(["a", "broker", "bridge", "f", "database"].map(each), [2, 2, 2, 2, 1]);
});

test("what a turn costs by itself is shared by the messages that wait for it", () => {
  const costOf = () => ({ turnMs: 1, messageMs: 0 });
  const turnsOf = (concurrency: number) => {
    const { turns = 0, messages = 1 } = run(pair, {}, { concurrency, costOf }).work.get("a") ?? {};
    return turns / messages;
  };
  assert.equal(turnsOf(1), 1);
  assert.ok(turnsOf(50) < 0.2);
});
