/** What keeps a function up while a callee is slow or away, and while more is asked of it than it can do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { greeter, grpc, handler, http } from "#host";
import { createGuard, noRetry } from "#host/call/guard";
import { createGrpcClient } from "#host/grpc/client";
import { createTracing } from "#host/telemetry/tracing";
import { freePort } from "../../local/ports.ts";
import { ask } from "../../test/support/ask.ts";
import { testCall } from "../../test/support/test-call.ts";
import { testFunction } from "../../test/support/test-function.ts";
import { startTestHost } from "../../test/support/test-host.ts";
import { until } from "../../test/support/until.ts";

const some = [{ id: "1", service: "Callee", message: "hi", created: "" }];

/** A function whose greetings wait until they are released; `entered` is how many wait. */
function slowFunction() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const state = { entered: 0, release: resolve };
  const definition = testFunction(
    {
      async greetings() {
        state.entered++;
        await promise;
        return some;
      },
    },
    { name: "slow" },
  );
  return { state, definition };
}

test("beyond its bound a function answers 503 with Retry-After at once, by either protocol, and serves on", async () => {
  const { state, definition } = slowFunction();
  await using host = await startTestHost(definition, { env: { MAX_CONCURRENT_REQUESTS: "2" } });
  const waiting = [ask(host.port), ask(host.port)];
  await until("two are under way", () => state.entered === 2);
  const refused = await ask(host.port);
  assert.equal(refused.status, 503);
  assert.equal(refused.headers["retry-after"], "1");
  assert.equal(refused.json().code, "ERR_OVERLOAD");
  assert.equal((await ask(host.port, "/readyz")).status, 200);
  const client = createGrpcClient(() => host.address);
  using call = testCall();
  await assert.rejects(client.greetings("slow", call), { code: "ERR_OVERLOAD" });
  client.close();
  state.release();
  for (const answer of await Promise.all(waiting)) assert.equal(answer.status, 200);
  assert.equal((await ask(host.port)).status, 200);
});

for (const [protocol, edge] of [
  ["http", http("slow")],
  ["grpc", grpc("slow")],
] as const) {
  test(`a slow callee by ${protocol} leaves half of the requests to the others`, async () => {
    const { state, definition } = slowFunction();
    await using slow = await startTestHost(definition);
    await using quick = await startTestHost(greeter({ name: "quick", greeting: "hi" }));
    const caller = handler({
      name: "caller",
      calls: [edge, http("quick")],
      routes: {
        "GET /slow": { handle: async ({ callees }) => ({ body: await callees.slow.greetings() }) },
        "GET /quick": {
          handle: async ({ callees }) => ({ body: await callees.quick.greetings() }),
        },
      },
    });
    await using host = await startTestHost(caller, {
      env: { MAX_CONCURRENT_REQUESTS: "4" },
      callees: { slow: slow.address, quick: quick.address },
    });
    const waiting = [ask(host.port, "/slow"), ask(host.port, "/slow")];
    await until("two are under way", () => state.entered === 2);
    const refused = await ask(host.port, "/slow");
    assert.equal(refused.status, 503, refused.text);
    assert.match(refused.json<{ detail: string }>().detail, /slow: 2 calls to it are under way/);
    assert.equal((await ask(host.port, "/quick")).status, 200);
    state.release();
    for (const answer of await Promise.all(waiting)) assert.equal(answer.status, 200);
    await host.close();
  });

  test(`a callee by ${protocol} that is back in a moment is waited for`, async () => {
    const port = await freePort();
    const definition = greeter({ name: "root", greeting: "hi", calls: [edge] });
    const callees = { slow: `127.0.0.1:${port}` };
    await using host = await startTestHost(definition, { callees, env: { LOG_LEVEL: "debug" } });
    const answering = ask(host.port);
    await new Promise((resolve) => setTimeout(resolve, 60));
    await using _ = await startTestHost(greeter({ name: "slow", greeting: "back" }), {
      env: { PORT: String(port) },
    });
    assert.equal((await answering).status, 200);
    await host.close();
  });
}

test("retries have a budget: a callee that stays away is soon not tried again, until it answers", async () => {
  const guard = createGuard();
  const running = createTracing().begin(
    { kind: "client", name: "x", attributes: {} },
    { headers: {} },
  );
  using call = testCall({ timeoutMs: 60_000 });
  let tries = 0;
  const run = (once: () => Promise<string>) =>
    guard.run({
      callee: "away",
      call,
      running,
      once,
      retryOf: () => ({ retry: "at once", costs: true }),
    });
  const fails = async () => {
    tries++;
    throw new Error("refused");
  };
  for (let i = 0; i < 20; i++) await assert.rejects(run(fails));
  assert.equal(tries, 24, "20 first tries, and those that half of the budget allows");
  for (let i = 0; i < 70; i++) await run(async () => "well");
  tries = 0;
  await assert.rejects(run(fails));
  assert.ok(tries > 1, "what was answered well fills the budget again");
});

test("what may have been processed is not tried again", async () => {
  const guard = createGuard();
  const running = createTracing().begin(
    { kind: "client", name: "x", attributes: {} },
    { headers: {} },
  );
  using call = testCall();
  let tries = 0;
  const once = async () => {
    tries++;
    throw new Error("reset");
  };
  await assert.rejects(guard.run({ callee: "a", call, running, once, retryOf: () => noRetry }));
  assert.equal(tries, 1);
});
