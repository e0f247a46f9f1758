/** What wakes a graph at zero, and what does not: by a clock of the test's, and by real servers. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { greeter, grpc, http } from "#host";
import type { WakeGraph } from "#host/base/wake-config";
import { createGuard, noRetry } from "#host/call/guard";
import { createWake } from "#host/call/wake";
import type { Outcome } from "#host/telemetry/operation";
import { createTracing } from "#host/telemetry/tracing";
import { freePort } from "../../local/ports.ts";
import { ask } from "../../test/support/ask.ts";
import { linesOf, useMetrics } from "../../test/support/metrics.ts";
import { testCall } from "../../test/support/test-call.ts";
import { testFunction } from "../../test/support/test-function.ts";
import { startTestHost } from "../../test/support/test-host.ts";
import { until } from "../../test/support/until.ts";

const graph: WakeGraph = {
  top: ["middle", "side"],
  middle: ["bottom", "top"],
  "rabbitmq:letters": ["reader"],
};
const idleMs = 1_000;

/** A server for every name, which answers a wake with its status, or never. */
async function startSleepers({ status = 204 }: { status?: number | "never" } = {}) {
  const woken: string[] = [];
  const listening = ["top", "middle", "side", "bottom", "reader"].map(async (name) => {
    const server = createServer(({ method, url }, response) => {
      woken.push(`${method} ${url} ${name}`);
      if (status !== "never") response.writeHead(status).end();
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    return [name, server] as const;
  });
  const servers = new Map(await Promise.all(listening));
  return {
    woken,
    addressOf: (name: string) =>
      `127.0.0.1:${(servers.get(name)?.address() as AddressInfo | undefined)?.port}`,
    [Symbol.dispose]() {
      for (const server of servers.values()) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

/** Time passes when the test says so. */
function wakeOf(addressOf: (name: string) => string, metrics?: ReturnType<typeof useMetrics>) {
  let time = 0;
  const due: (() => void)[] = [];
  const outcomes: Outcome[] = [];
  const listeners = [
    (one: Outcome) => void outcomes.push(one),
    ...(metrics ? [metrics.record] : []),
  ];
  const wake = createWake(
    { graph, idleMs },
    { addressOf, tracing: createTracing({ listeners }), metrics },
    { now: () => time, later: (_, act) => void due.push(act) },
  );
  return {
    ...wake,
    outcomes,
    pass(ms: number) {
      time += ms;
    },
    /** The moment is over that calls were given to be answered in; how many waited for it. */
    moment() {
      const acts = due.splice(0);
      for (const act of acts) act();
      return acts.length;
    },
    ended: (count: number) => until(`${count} wakes`, () => outcomes.length === count),
  };
}

const all = (...names: string[]) => names.map((name) => `GET /wake ${name}`).sort();

test("a callee that stays silent is woken with all below it, once, however many calls wait", async () => {
  using sleepers = await startSleepers();
  using call = testCall();
  const wake = wakeOf(sleepers.addressOf);
  for (let i = 0; i < 100; i++) wake.calling("top", call);
  assert.equal(wake.moment(), 1);
  await wake.ended(4);
  assert.deepEqual(sleepers.woken.sort(), all("top", "middle", "side", "bottom"));
  wake.calling("top", call);
  wake.calling("middle", call);
  assert.equal(wake.moment(), 0, "they are woken for the idle period");
  wake.pass(idleMs + 1);
  wake.calling("middle", call);
  wake.moment();
  await wake.ended(8);
  assert.equal(sleepers.woken.filter((line) => line === "GET /wake side").length, 2);
});

test("a callee that answers wakes nothing, also after a pause, and keeps what it answers from being watched", async () => {
  using sleepers = await startSleepers();
  using call = testCall();
  const wake = wakeOf(sleepers.addressOf);
  for (let i = 0; i < 3; i++) {
    wake.calling("top", call)?.heard();
    assert.equal(wake.moment(), 1);
    wake.calling("top", call);
    assert.equal(wake.moment(), 0);
    wake.pass(idleMs + 1);
  }
  wake.calling("bottom", call);
  wake.calling("unknown", call);
  assert.equal(wake.moment(), 0, "nothing is below them");
  assert.deepEqual(wake.outcomes, []);
});

test("a function that was woken takes all below it as woken, and still answers its calls", async () => {
  using sleepers = await startSleepers();
  using call = testCall();
  const wake = wakeOf(sleepers.addressOf);
  wake.calling("top", call);
  wake.publishing("letters", call);
  wake.woken();
  assert.equal(wake.moment(), 2);
  wake.calling("middle", call);
  wake.publishing("letters", call);
  assert.equal(wake.moment(), 0);
  assert.deepEqual(wake.outcomes, []);
});

test("a message wakes its consumers, and not again while messages follow", async () => {
  using sleepers = await startSleepers();
  using call = testCall();
  const wake = wakeOf(sleepers.addressOf);
  wake.publishing("others", call);
  wake.publishing("letters", call);
  wake.publishing("letters", call);
  assert.equal(wake.moment(), 1);
  await wake.ended(1);
  for (let i = 0; i < 3; i++) {
    wake.pass(idleMs);
    wake.publishing("letters", call);
  }
  assert.equal(wake.moment(), 0);
  wake.pass(idleMs + 1);
  wake.publishing("letters", call);
  wake.moment();
  await wake.ended(2);
  assert.deepEqual(sleepers.woken, all("reader", "reader"));
});

test("a wake is an operation of its own, in the trace and in the metrics, with its failure", async () => {
  using sleepers = await startSleepers({ status: 403 });
  using call = testCall();
  using metrics = useMetrics();
  const away = await freePort();
  const wake = wakeOf(
    (name) => (name === "side" ? `127.0.0.1:${away}` : sleepers.addressOf(name)),
    metrics,
  );
  assert.equal((await linesOf(metrics, "faas_wakes_total{")).length, 5);
  wake.calling("top", call);
  wake.moment();
  await wake.ended(4);
  assert.deepEqual(
    wake.outcomes
      .map(({ kind, name, attributes, errorType }) => [
        kind,
        name,
        attributes["faas.invoked_name"],
        errorType,
      ])
      .sort(),
    [
      ["internal", "wake bottom", "bottom", "ERR_ANSWER"],
      ["internal", "wake middle", "middle", "ERR_ANSWER"],
      ["internal", "wake side", "side", "ERR_CALLEE"],
      ["internal", "wake top", "top", "ERR_ANSWER"],
    ],
  );
  const text = (await linesOf(metrics, "faas_wakes_total{")).join("\n");
  assert.match(text, /faas_invoked_name="side",error_type="ERR_CALLEE".*} 1$/m);
  assert.match(text, /faas_invoked_name="reader",error_type="".*} 0$/m);
});

test("a wake ends at the call's deadline, and with the host", async () => {
  using sleepers = await startSleepers({ status: "never" });
  using short = testCall({ timeoutMs: 20 });
  using long = testCall({ timeoutMs: 60_000 });
  const wake = wakeOf(sleepers.addressOf);
  wake.publishing("letters", short);
  wake.moment();
  await wake.ended(1);
  wake.calling("middle", long);
  wake.moment();
  await until("they are asked", () => sleepers.woken.length === 5);
  wake.close();
  await wake.ended(5);
  assert.deepEqual(
    wake.outcomes.map(({ errorType }) => errorType),
    ["ERR_DEADLINE", ...Array(4).fill("ERR_DRAINING")],
  );
});

test("an answer is heard, also a bad one, and a lost call is not", async () => {
  const heard: string[] = [];
  const calling = (name: string) => ({ heard: () => void heard.push(name) });
  const guard = createGuard(undefined, { calling, publishing() {}, woken() {}, close() {} });
  const running = createTracing().begin(
    { kind: "client", name: "x", attributes: {} },
    { headers: {} },
  );
  using call = testCall();
  const run = (callee: string, once: () => Promise<void>, isAnswer = false) =>
    guard.run({ callee, call, running, once, retryOf: () => noRetry, isAnswer: () => isAnswer });
  await run("well", async () => {});
  const fails = () => Promise.reject(new Error("no"));
  await assert.rejects(run("refusing", fails, true));
  await assert.rejects(run("lost", fails));
  assert.deepEqual(heard, ["well", "refusing"]);
});

for (const edge of [http("top"), grpc("top")]) {
  test(`a call by ${edge.protocol} that waits wakes what is below, and is answered as ever`, async () => {
    using sleepers = await startSleepers();
    const { promise, resolve: release } = Promise.withResolvers<void>();
    const some = [{ id: "1", service: "Top", message: "hi", created: "" }];
    const slow = testFunction({ greetings: () => promise.then(() => some) }, { name: "top" });
    await using top = await startTestHost(slow);
    const names = ["middle", "side", "bottom", "reader"];
    const callees = Object.fromEntries(names.map((name) => [name, sleepers.addressOf(name)]));
    const root = greeter({ name: "root", greeting: "hi", calls: [edge] });
    await using host = await startTestHost(root, {
      env: { WAKE: JSON.stringify(graph) },
      callees: { ...callees, top: top.address },
    });
    const answering = [ask(host.port), ask(host.port)];
    await until("all are woken", () => sleepers.woken.length === 3);
    release();
    for (const answer of await Promise.all(answering)) assert.equal(answer.status, 200);
    assert.deepEqual(sleepers.woken.sort(), all("middle", "side", "bottom"));
    const text = (await ask(host.port, "/metrics")).text;
    assert.match(text, /faas_wakes_total\{faas_invoked_name="top",error_type="".*} 1$/m);
  });
}
