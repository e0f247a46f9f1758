import assert from "node:assert/strict";
import { test } from "node:test";
import { type Calibration, calibrate, cpuMsOf, predict } from "./calibration.ts";
import type { Declared } from "./simulation.ts";

const graph: readonly Declared[] = [
  {
    ...{ name: "way-in", effects: [] },
    calls: ["left", "right"].map((name) => ({ name, protocol: "http" as const })),
  },
  { name: "left", calls: [], effects: [{ system: "mongodb", destination: "left.letters" }] },
  { name: "right", calls: [], effects: [] },
];
const machine = { graph, entry: "way-in", cores: 2 };
const truth: Calibration = {
  costs: new Map([
    ["way-in", { turnMs: 0.5, messageMs: 0.2 }],
    ["left", { turnMs: 0.4, messageMs: 0.1 }],
    ["right", { turnMs: 0.3, messageMs: 0.3 }],
    ["database", { turnMs: 0.2, messageMs: 0.05 }],
    ["clients", { turnMs: 0.02, messageMs: 0.02 }],
  ]),
  used: 0.8,
};

/** What a machine with the true costs would show. */
function measured(concurrency: number) {
  const seen = predict(machine, truth, concurrency);
  const alone = (name: string) => {
    const cost = truth.costs.get(name);
    return { costs: new Map(cost && [[name, cost]]), used: 1 };
  };
  const demands = [...seen.work.keys()].map((name) => [name, cpuMsOf(seen, alone(name))] as const);
  return { concurrency, perSecond: seen.perSecond, demands: Object.fromEntries(demands) };
}

test("costs that are calibrated at 1 and 25 clients predict the other numbers of clients", () => {
  const found = calibrate(machine, measured(1), measured(25));
  assert.ok(Math.abs(found.used / truth.used - 1) < 0.05, `${found.used} used`);
  for (const concurrency of [1, 10, 50, 100]) {
    const { perSecond } = predict(machine, found, concurrency);
    const ratio = perSecond / measured(concurrency).perSecond;
    assert.ok(Math.abs(ratio - 1) < 0.1, `${concurrency} clients: ${ratio}`);
  }
});

test("work that no turn shares costs as much at any number of clients", () => {
  const flat = { demands: { "way-in": 3, left: 1, right: 1, database: 1, clients: 0 } };
  const low = { ...flat, concurrency: 1, perSecond: 200 };
  const found = calibrate(machine, low, { ...flat, concurrency: 25, perSecond: 300 });
  for (const { turnMs } of found.costs.values()) assert.ok(turnMs < 0.01);
  assert.ok(Math.abs(cpuMsOf(predict(machine, found, 50), found) - 6) < 0.1);
});
