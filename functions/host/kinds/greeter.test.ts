import assert from "node:assert/strict";
import { test } from "node:test";
import { greeter, grpc, http } from "#host";
import { HostError } from "#host/base/errors";
import { propagatedHeaders } from "#host/base/headers";
import type { Call } from "#host/call/call";
import { createGrpcClient } from "#host/grpc/client";
import type { Effect } from "#host/kinds/definition";
import type { Greeting } from "#proto";
import { ask } from "../../test/support/ask.ts";
import { testCall } from "../../test/support/test-call.ts";
import { testFunction } from "../../test/support/test-function.ts";
import { startTestHost } from "../../test/support/test-host.ts";
import { until } from "../../test/support/until.ts";

const greetingOf = (service: string): Greeting => ({
  id: service,
  service,
  message: "hi",
  created: "",
});
const servicesOf = (greetings: readonly Greeting[]) => greetings.map(({ service }) => service);
const bothEdges = [http("one"), grpc("two")];

/** Waits until its call ends, and then says so. */
function waiting() {
  const entered = Promise.withResolvers<Call>();
  const greetings = (call: Call) => {
    entered.resolve(call);
    return new Promise<never>((_, reject) => {
      call.signal.addEventListener("abort", () => reject(call.signal.reason));
    });
  };
  return { greetings, entered: entered.promise };
}

test("a greeting has a new id, the function's name, its message and the time", async () => {
  const before = Date.now();
  await using host = await startTestHost(greeter({ name: "service-c", greeting: "Konnichiwa!" }));
  const answers = await Promise.all([ask(host.port), ask(host.port, "/api/greeting")]);
  const [one, other] = answers.map((answer) => answer.json<{ greeting: Greeting[] }>().greeting[0]);
  assert.equal(one?.service, "Service-C");
  assert.equal(one?.message, "Konnichiwa!");
  assert.match(one?.id ?? "", /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
  assert.notEqual(one?.id, other?.id);
  assert.match(one?.created ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(Date.parse(one?.created ?? "") >= before);
});

test("callees are asked at the same time, and answer in declared order before their caller", async () => {
  const both = Promise.withResolvers<void>();
  let inside = 0;
  const meets = (name: string, after: Promise<unknown>) =>
    testFunction(
      {
        async greetings() {
          if (++inside === 2) both.resolve();
          await both.promise;
          await after;
          return [greetingOf(`${name}-below`), greetingOf(name)];
        },
      },
      { name },
    );
  const secondHasAnswered = Promise.withResolvers<void>();
  await using one = await startTestHost(meets("one", secondHasAnswered.promise));
  await using two = await startTestHost(meets("two", Promise.resolve()));
  const callees = { one: one.address, two: two.address };
  const root = greeter({ name: "root", greeting: "hi", calls: bothEdges });
  await using host = await startTestHost(root, { callees });
  const answer = ask(host.port);
  await both.promise;
  secondHasAnswered.resolve();
  const { greeting } = (await answer).json<{ greeting: Greeting[] }>();
  assert.deepEqual(servicesOf(greeting), ["one-below", "one", "two-below", "two", "Root"]);
});

for (const protocol of ["http", "grpc"] as const) {
  const env = { CALL_PROTOCOL: protocol };

  test(`${protocol}: a failed callee is answered with the path of hops, and its siblings are cancelled`, async () => {
    const sibling = waiting();
    const fails = testFunction(
      {
        async greetings() {
          await sibling.entered;
          throw new HostError("ERR_PUBLISH", "leaf: RabbitMQ is away");
        },
      },
      { name: "leaf" },
    );
    await using leaf = await startTestHost(fails);
    await using beside = await startTestHost(testFunction(sibling, { name: "beside" }));
    const middle = greeter({
      name: "middle",
      greeting: "hi",
      calls: [http("leaf"), http("beside")],
    });
    const callees = { leaf: leaf.address, beside: beside.address };
    await using between = await startTestHost(middle, { callees, env });
    const root = greeter({ name: "root", greeting: "hi", calls: [http("middle")] });
    await using host = await startTestHost(root, { callees: { middle: between.address }, env });

    const answer = await ask(host.port);
    const detail = "root > middle > leaf: RabbitMQ is away";
    assert.equal(answer.status, 503);
    assert.partialDeepStrictEqual(answer.json(), { detail, code: "ERR_PUBLISH" });
    const { signal } = await sibling.entered;
    await until("the sibling's call aborts", () => signal.aborted);

    const client = createGrpcClient(() => host.address);
    using call = testCall();
    const failing = client.greetings("root", call).finally(client.close);
    await assert.rejects(failing, { code: "ERR_PUBLISH", message: detail });
  });

  test(`${protocol}: a client that leaves stops the work two levels below`, async () => {
    const work = waiting();
    await using leaf = await startTestHost(testFunction(work, { name: "leaf" }));
    const middle = greeter({ name: "middle", greeting: "hi", calls: [http("leaf")] });
    await using between = await startTestHost(middle, { callees: { leaf: leaf.address }, env });
    const root = greeter({ name: "root", greeting: "hi", calls: [http("middle")] });
    await using host = await startTestHost(root, { callees: { middle: between.address }, env });
    const leaving = new AbortController();
    const answer = ask(host.port, "/", { signal: leaving.signal });
    const { signal } = await work.entered;
    assert.equal(signal.aborted, false);
    leaving.abort();
    await assert.rejects(answer, { name: "AbortError" });
    await until("the leaf's call aborts", () => signal.aborted);
    assert.equal(signal.reason.code, "ERR_CANCELLED");
  });
}

test("200 requests at the same time keep their greetings and their headers apart", async () => {
  const seen = new Map<string, Call["headers"][]>();
  const notes = (name: string) =>
    testFunction(
      {
        async greetings(call) {
          const id = call.headers["x-request-id"] ?? "";
          seen.set(id, [...(seen.get(id) ?? []), call.headers]);
          await new Promise((resolve) => setImmediate(resolve));
          return [greetingOf(`${name} for ${id}`)];
        },
      },
      { name },
    );
  const env = { LOG_LEVEL_HEADER: "on" };
  await using one = await startTestHost(notes("one"), { env });
  await using two = await startTestHost(notes("two"), { env });
  const callees = { one: one.address, two: two.address };
  const root = greeter({ name: "root", greeting: "hi", calls: bothEdges });
  await using host = await startTestHost(root, { env, callees });

  const ids = Array.from({ length: 200 }, (_, i) => `request-${i}`);
  // The two that change what happens have tests of their own.
  const names = propagatedHeaders.filter((name) => !/^x-(fault|call-protocol)$/.test(name));
  // A trace state that is not of its grammar does not travel.
  const fixed = (id: string) => ({ "x-request-id": id, tracestate: `test=${id}` });
  const headersFor = (id: string): Record<string, string> => ({
    ...Object.fromEntries(names.map((name) => [name, btoa(`${name}${id}`)])),
    ...fixed(id),
  });
  const answers = await Promise.all(
    ids.map((id) => ask(host.port, "/", { headers: headersFor(id) })),
  );
  for (const [i, id] of ids.entries()) {
    const greeting = answers[i]?.json<{ greeting: Greeting[] }>().greeting ?? [];
    assert.deepEqual(servicesOf(greeting), [`one for ${id}`, `two for ${id}`, "Root"]);
    assert.deepEqual(seen.get(id), [headersFor(id), headersFor(id)]);
  }
  const own = answers.map((answer) => answer.json<{ greeting: Greeting[] }>().greeting[2]?.id);
  assert.equal(new Set(own).size, ids.length);
});

/** An effect that notes what it is applied to, and fails on demand. */
function noting(failure?: HostError) {
  const applied: Greeting[] = [];
  const effect: Effect<Greeting> = {
    system: "mongodb",
    destination: "a.b",
    open: async () => ({
      name: "MongoDB",
      problem: () => undefined,
      close: async () => {},
      bind: () => undefined,
      async apply(greeting) {
        applied.push(greeting);
        if (failure) throw failure;
      },
    }),
  };
  return { effect, applied };
}
const env = { MONGODB_URL: "mongodb://127.0.0.1:1" };

test("the effect gets this function's own greeting, after every callee has answered", async () => {
  const { effect, applied } = noting();
  let during = -1;
  const below = testFunction(
    {
      async greetings() {
        during = applied.length;
        return [greetingOf("below")];
      },
    },
    { name: "below" },
  );
  await using callee = await startTestHost(below);
  const root = greeter({ name: "root", greeting: "hi", calls: [http("below")], effects: [effect] });
  await using host = await startTestHost(root, { callees: { below: callee.address }, env });
  const { greeting } = (await ask(host.port)).json<{ greeting: Greeting[] }>();
  assert.equal(during, 0);
  assert.deepEqual(applied, [greeting[1]]);
});

test("the effect is left out when a callee fails", async () => {
  const { effect, applied } = noting();
  const root = greeter({ name: "root", greeting: "hi", calls: [http("away")], effects: [effect] });
  await using host = await startTestHost(root, { callees: { away: "127.0.0.1:1" }, env });
  assert.equal((await ask(host.port)).status, 503);
  assert.deepEqual(applied, []);
});

test("an effect that fails fails the request, with the function's name", async () => {
  const { effect } = noting(new HostError("ERR_STORE", "MongoDB is away"));
  await using host = await startTestHost(
    greeter({ name: "root", greeting: "hi", effects: [effect] }),
    {
      env,
    },
  );
  const answer = await ask(host.port);
  assert.partialDeepStrictEqual(answer.json(), { status: 503, detail: "root: MongoDB is away" });
});
