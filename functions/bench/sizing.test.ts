import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { loadFunctions } from "../local/discover.ts";
import type { Declared } from "./simulation.ts";
import { clusterSize, functionSizes, inputsOf, limitsOf } from "./sizing.ts";
import { sizingLines, sizingPage } from "./sizing-page.ts";

const page = readFileSync(sizingPage, "utf8");

const call = (name: string) => ({ name, protocol: "grpc" }) as const;
const small: readonly Declared[] = [
  { name: "way-in", calls: [call("leaf")], effects: [] },
  { name: "leaf", calls: [], effects: [{ system: "rabbitmq", destination: "letters" }] },
  {
    ...{ name: "reader", calls: [], from: "letters" },
    effects: [{ system: "mongodb", destination: "reader.letters" }],
  },
  { name: "other", calls: [], effects: [] },
];
const rows = {
  ...{ "cpu.way-in": 1, "cpu.leaf": 0.5, "cpu.reader": 0.5, "cpu.bridge": 0.2, "cpu.broker": 0.5 },
  ...{ "cpu.database": 4, "cpu.sidecar": 0.4, "cpu.queue-proxy": 0.1, hop: 2, save: 3, confirm: 4 },
  ...{ limit: 1, utilisation: 0.5, "max-scale": 5, "memory.function": 156, "memory.pod": 100 },
  ...{ queue: 1_000, parallelism: 6, "shard.cores": 4 },
};
const input = inputsOf(
  Object.entries(rows)
    .map(([name, value]) => `| \`${name}\` | ${value} | what |`)
    .join("\n"),
);

test("a function's size follows from its CPU, from what it waits for, and from whom it is called by", () => {
  const sizes = functionSizes(small, "way-in", input);
  assert.deepEqual(
    sizes.map(({ podsAt, ...size }) => ({ ...size, pods: podsAt(1_001) })),
    [
      // 1 / 0.5 + 2 + (0.5 / 0.5 + 4)
      { name: "way-in", cpuMs: 1, podPerSecond: 500, latencyMs: 9, target: 9, pods: 3 },
      { name: "leaf", cpuMs: 0.5, podPerSecond: 1_000, latencyMs: 5, target: 10, pods: 2 },
      { name: "reader", cpuMs: 0.5, podPerSecond: 1_000, latencyMs: 4, target: 8, pods: 2 },
    ],
  );
});

test("a cluster's size is that of its pods, its broker and its database", () => {
  const sizes = functionSizes(small, "way-in", input);
  assert.deepEqual(clusterSize(small, sizes, input, 1_000), {
    ...{ perSecond: 1_000, pods: 4, functionCores: 4.4, meshCores: 3, memoryGib: 1.5 },
    // A queue leaves room at 500/s; a source has 6 under way for 4 + 2 ms each, of which it leaves half.
    ...{ brokerCores: 1, queues: 2, sources: 2, documentsPerSecond: 1_000 },
    ...{ databaseCores: 8, shards: 2 },
  });
  const limits = limitsOf(small, sizes, input).map(({ perSecond }) => perSecond);
  assert.deepEqual(limits, [500, 500, 500, 500, 2_500]);
});

test("an input that the page does not have is named", () => {
  assert.throws(() => inputsOf("")("queue"), /there is no input `queue`/);
});

test("the tables of knative/SIZING.md are what the code computes from the inputs in it", async () => {
  assert.ok(page.includes(`\n\n${(await sizingLines(page)).join("\n")}\n\n`));
});

test("the manifests have the targets of knative/SIZING.md, rounded", async () => {
  const declared = (await loadFunctions()).flatMap(({ definition = [] }) => definition);
  for (const { name, target } of functionSizes(declared, "gateway", inputsOf(page))) {
    const manifest = readFileSync(join(dirname(sizingPage), `base/${name}.yaml`), "utf8");
    const [, set] = /autoscaling\.knative\.dev\/target: "(\d+)"/.exec(manifest) ?? [];
    const ratio = Number(set) / target;
    assert.ok(ratio > 0.7 && ratio < 1.4, `${name}: ${set}, computed ${target}`);
  }
});

test("knative/SIZING.md links to files that exist", () => {
  for (const [, link = ""] of page.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
    assert.ok(existsSync(join(dirname(sizingPage), link)), link);
  }
});
