import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { HostError } from "#host/base/errors";
import { functionsDir } from "../local/discover.ts";
import { type Cluster, kubectlFile } from "./support/kubectl.ts";
import { testFunction } from "./support/test-function.ts";
import { startTestHost, type TestHost } from "./support/test-host.ts";
import { until } from "./support/until.ts";

const scripts = join(functionsDir, "../knative/cluster");
const [first, second] = ["service-c-00001", "service-c-00002"];
const quick = ["--step-seconds", "1", "--rate", "60", "--min-requests", "20"];

/** A revision of which every `bad`-th request fails, and that takes its time. */
function revision({ bad = 0, ms = 0 } = {}): Promise<TestHost> {
  let asked = 0;
  const greetings = async () => {
    asked++;
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    if (bad > 0 && asked % bad === 0) throw new HostError("ERR_STORE", "this one fails");
    return [];
  };
  return startTestHost(testFunction({ greetings }, { name: "service-c" }));
}

interface Canary extends AsyncDisposable {
  readonly said: () => string;
  /** As it is now. */
  cluster(): Promise<Cluster>;
  /** The exit code. */
  readonly ended: Promise<number | null>;
  interrupt(): void;
}

async function canary(hosts: { stable: TestHost; canary: TestHost }, args: string[] = quick) {
  const bin = await mkdtemp(join(tmpdir(), "canary-"));
  const file = join(bin, "cluster.json");
  await writeFile(file, JSON.stringify(clusterOf(hosts)));
  const command = join(bin, "kubectl");
  await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' '${kubectlFile}' "$@"\n`);
  await chmod(command, 0o755);
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, CLUSTER: file };
  const child = spawn(join(scripts, "canary"), ["service-c", ...args], {
    env: { ...env, WAIT_SECONDS: "2" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const { promise: ended, resolve } = Promise.withResolvers<number | null>();
  child.once("close", resolve);
  return {
    said: () => said,
    cluster: async () => JSON.parse(await readFile(file, "utf8")) as Cluster,
    ended,
    interrupt: () => void child.kill("SIGINT"),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
      await rm(bin, { recursive: true });
    },
  } satisfies Canary;
}

function clusterOf(hosts: { stable: TestHost; canary: TestHost }): Cluster {
  return {
    service: {
      metadata: {
        generation: 1,
        labels: { "networking.knative.dev/visibility": "cluster-local" },
      },
      spec: { template: { spec: { containers: [{ image: "registry/service-c:2" }] } } },
      status: {
        observedGeneration: 1,
        latestCreatedRevisionName: second,
        conditions: [{ type: "RoutesReady", status: "True" }],
        traffic: [{ revisionName: first, percent: 100 }],
      },
    },
    urls: {
      stable: `http://${hosts.stable.address}`,
      canary: `http://${hosts.canary.address}`,
    },
    moves: [],
    pods: {},
  };
}

const step = (percent: number, fresh = second) => [
  { revisionName: first, percent: 100 - percent, tag: "stable" },
  { revisionName: fresh, percent, tag: "canary" },
];
const allTo = (revisionName: string) => [{ revisionName, percent: 100 }];

test("a revision that holds gets 10, 50 and 100 % of the traffic, and is then the latest", async () => {
  await using stable = await revision();
  await using good = await revision();
  await using running = await canary({ stable, canary: good });
  assert.equal(await running.ended, 0, running.said());
  const { moves, pods } = await running.cluster();
  const latest = [{ latestRevision: true, percent: 100 }];
  assert.deepEqual(moves, [step(0), step(10), step(50), step(100), latest]);
  assert.deepEqual(pods, {});
  assert.match(running.said(), /^100 % +service-c-00002 +60 +0\.0 % +\d+ ms$/m);
});

test("a revision that fails a third of its requests is taken back at 10 %, with its figures", async () => {
  await using stable = await revision();
  await using bad = await revision({ bad: 3 });
  await using running = await canary({ stable, canary: bad });
  assert.equal(await running.ended, 1, running.said());
  const { moves, pods } = await running.cluster();
  assert.deepEqual(moves, [step(0), step(10), allTo(first)]);
  assert.deepEqual(pods, {});
  assert.match(running.said(), /service-c-00002: 3\d\.\d % of its requests failed; at most 1\.0 %/);
  assert.match(running.said(), /10 % +service-c-00002 .* 503 \(\d+\)$/m);
});

test("a revision that is slow is taken back, with its p95", async () => {
  await using stable = await revision();
  await using slow = await revision({ ms: 150 });
  await using running = await canary({ stable, canary: slow });
  assert.equal(await running.ended, 1, running.said());
  assert.deepEqual((await running.cluster()).moves.at(-1), allTo(first));
  assert.match(running.said(), /service-c-00002: its p95 is \d+ ms; at most \d+ ms is allowed/);
});

test("a revision without one good answer gets no traffic", async () => {
  await using stable = await revision();
  await using dead = await revision({ bad: 1 });
  await using running = await canary({ stable, canary: dead });
  assert.equal(await running.ended, 1, running.said());
  assert.deepEqual((await running.cluster()).moves, [step(0), allTo(first)]);
  assert.match(running.said(), /service-c-00002 gave no good answer in 2 s; the last one: 503/);
});

test("an image becomes a revision that gets no traffic before it is measured", async () => {
  await using stable = await revision();
  await using good = await revision();
  await using running = await canary({ stable, canary: good }, [
    ...quick,
    ...["--image", "registry/service-c:3", "--steps", "100"],
  ]);
  assert.equal(await running.ended, 0, running.said());
  const { moves, service } = await running.cluster();
  const fresh = "service-c-00003";
  assert.deepEqual(moves.slice(0, 3), [allTo(first), step(0, fresh), step(100, fresh)]);
  assert.equal(service.spec.template.spec.containers[0]?.image, "registry/service-c:3");
});

test("an interrupt puts the traffic back at once", async () => {
  await using stable = await revision();
  await using good = await revision();
  const slowly = ["--step-seconds", "600", "--rate", "20"];
  await using running = await canary({ stable, canary: good }, slowly);
  const atTen = async () => (await running.cluster()).moves.length === 2;
  await until("traffic at 10 %", atTen, 60_000);
  running.interrupt();
  assert.equal(await running.ended, 130, running.said());
  assert.deepEqual((await running.cluster()).moves.at(-1), allTo(first));
});

describe("a revision holds", () => {
  const limits = { min: 50, points: 1, factor: 1.5, plus: 50 };
  const figures = (failed: number, p95: number | null, requests = 100) => ({
    ...{ requests, failed, p95 },
  });
  for (const [what, old, fresh, expected] of [
    ["with figures like the old one's", figures(0, 20), figures(0, 20), undefined],
    ["with as many errors as are allowed", figures(2, 20), figures(3, 20), undefined],
    ["not with more", figures(2, 20), figures(4, 20), /^4\.0 % .* at most 3\.0 % may$/],
    ["with a p95 that is just allowed", figures(0, 100), figures(0, 200), undefined],
    ["not with a longer one", figures(0, 100), figures(0, 201), /201 ms; at most 200 ms/],
    ["whatever its p95 where the old one has none", figures(0, null, 0), figures(0, 9), undefined],
    ["not with too few requests", figures(0, 9), figures(0, 9, 49), /^49 requests are too few/],
    ["with fewer errors than a bad old one", figures(50, 20), figures(30, 20), undefined],
  ] as const) {
    test(what, async () => {
      const { problemsOf } = await import(join(scripts, "canary.js"));
      const problems: string[] = problemsOf(old, fresh, limits);
      if (expected) assert.match(problems.join(), expected);
      else assert.deepEqual(problems, []);
    });
  }
});
