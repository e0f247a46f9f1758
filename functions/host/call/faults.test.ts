import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "#host/base/errors";
import { createFaults, draw, parseFaults } from "#host/call/faults";
import { createTracing } from "#host/telemetry/tracing";
import { testCall } from "../../test/support/test-call.ts";

test("a list is read with its targets, actions, shares and seed", () => {
  const list = parseFaults("service-g=503@50%, service-c=delay:800ms ,a=delay:1.5s@0.5%;seed=42");
  assert.deepEqual(list, {
    seed: 42,
    faults: [
      {
        target: "service-g",
        action: { kind: "status", status: 503 },
        text: "503",
        share: 0.5,
      },
      {
        target: "service-c",
        action: { kind: "delay", delayMs: 800 },
        text: "delay:800ms",
        share: 1,
      },
      { target: "a", action: { kind: "delay", delayMs: 1_500 }, text: "delay:1.5s", share: 0.005 },
    ],
  });
  assert.equal(parseFaults("a=400").seed, undefined);
});

for (const [header, why] of [
  ["", /"": function=action is expected/],
  ["service-g", /"service-g": function=action is expected/],
  ["service-g=", /"service-g=": an HTTP status from 400 to 599/],
  ["service-g=200", /"service-g=200": an HTTP status/],
  ["service-g=600", /"service-g=600": an HTTP status/],
  ["service-g=5030", /an HTTP status/],
  ["service-g=503@", /"service-g=503@": a share is a number from 0 to 100/],
  ["service-g=503@50", /a share is/],
  ["service-g=503@101%", /a share is/],
  ["service-g=503@-1%", /a share is/],
  ["service-g=503@50%@50%", /a share is/],
  ["service-g=delay:800", /or delay:800ms/],
  ["service-g=delay:-1s", /or delay:800ms/],
  ["service-g=delay:31s", /a delay is 30 s at most/],
  ["service-g=delay:30001ms", /a delay is 30 s at most/],
  ["service-g=abort", /an HTTP status/],
  ["Service-G=503", /function=action is expected/],
  ["service-g=503,", /"": function=action is expected/],
  ["seed=1.5", /"seed=1.5": a seed is a whole number/],
  ["seed=1,seed=2", /more than one seed/],
  [Array(65).fill("a=503").join(","), /more than 64 faults/],
  ["service-x=503", /"service-x=503": there is no function service-x; there are service-g/],
  ["service-g=1;seed=x;y=503", /"service-g=1": .*"seed=x": .*"y=503": there is no/],
] as const) {
  test(`"${header.slice(0, 40)}" is refused with what is wrong`, () => {
    const known = ["service-g"];
    assert.throws(() => parseFaults(header, header.includes("a=503") ? ["a"] : known), {
      code: "ERR_BAD_REQUEST",
      message: new RegExp(`^x-fault: .*${why.source}`),
    });
  });
}

test("a target is not held against names that are not known", () => {
  assert.equal(parseFaults("service-x=503").faults[0]?.target, "service-x");
});

test("a draw depends on each of its parts, and on nothing else", () => {
  const base = { seed: 7, target: "a", action: "503", requestId: "r", attempt: 1 };
  assert.equal(draw(base), draw({ ...base }));
  const others = [{ seed: 8 }, { target: "b" }, { action: "500" }, { requestId: "s" }];
  const drawn = [...others, { attempt: 2 }, {}].map((other) => draw({ ...base, ...other }));
  assert.equal(new Set(drawn).size, 6);
});

test("draws are spread evenly over the shares, with a seed and without", () => {
  for (const seed of [7, undefined]) {
    const hits = Array.from({ length: 10_000 }, (_, i) =>
      draw({ seed, target: "a", action: "503", requestId: `r${i}`, attempt: 1 }),
    ).filter((drawn) => drawn < 0.3).length;
    // Nine standard deviations of the binomial distribution around 3,000.
    assert.ok(hits > 2_590 && hits < 3_410, `${hits} of 10,000`);
  }
});

/** How a call with this header ends at service-g: the error, or undefined. */
async function injectInto(
  header: string,
  { faults = createFaults({ name: "service-g" }), requestId = "r1", event = "" } = {},
): Promise<HostError | undefined> {
  using call = testCall({ headers: { "x-fault": header, "x-request-id": requestId } });
  try {
    await faults.inject(call, event || undefined);
    return undefined;
  } catch (thrown) {
    return thrown as HostError;
  }
}

test("a call without a fault of this function is left alone", async () => {
  assert.equal(await injectInto("service-c=503"), undefined);
  assert.equal(await injectInto("service-g=503@0%"), undefined);
  using call = testCall();
  await createFaults({ name: "service-g" }).inject(call);
});

for (const [status, code, grpc] of [
  [400, "ERR_BAD_REQUEST", 3],
  [404, "ERR_NOT_FOUND", 5],
  [429, "ERR_CALLEE", 14],
  [500, "ERR_INTERNAL", 13],
  [502, "ERR_ANSWER", 2],
  [503, "ERR_CALLEE", 14],
  [504, "ERR_DEADLINE", 4],
  [599, "ERR_ANSWER", 2],
] as const) {
  test(`${status} is answered as ${status}, and is ${code} to callers`, async () => {
    const error = await injectInto(`service-g=${status}`);
    assert.ok(error instanceof HostError);
    assert.equal(error.message, `service-g: a fault was injected: ${status}`);
    assert.equal(error.toProblem().status, status);
    assert.equal(error.code, code);
    assert.equal(error.grpc, grpc);
    const atCaller = error.via("service-e");
    assert.equal(atCaller.http, new HostError(code, "").http);
  });
}

test("a seed decides the same way again for a request, and another way for another", async () => {
  const run = () =>
    Promise.all(
      Array.from({ length: 40 }, async (_, i) =>
        (await injectInto("service-g=503@50%;seed=7", { requestId: `r${i}` })) ? "x" : ".",
      ),
    );
  const first = (await run()).join("");
  assert.equal((await run()).join(""), first);
  assert.match(first, /x/);
  assert.match(first, /\./);
});

test("each delivery of an event is an attempt of its own, and a request's is always the first", async () => {
  const runs = async (event?: string) => {
    const faults = createFaults({ name: "service-g" });
    const tries: boolean[] = [];
    for (let i = 0; i < 20; i++) {
      const settings = { faults, ...(event && { event }) };
      tries.push((await injectInto("service-g=503@50%;seed=7", settings)) !== undefined);
    }
    return tries;
  };
  const deliveries = await runs("/service-d 1");
  assert.deepEqual(await runs("/service-d 1"), deliveries);
  const drawn = deliveries.map(
    (_, i) =>
      draw({ seed: 7, target: "service-g", action: "503", requestId: "r1", attempt: i + 1 }) < 0.5,
  );
  assert.deepEqual(deliveries, drawn);
  assert.equal(new Set(await runs()).size, 1);
});

test("the attempts of 10,000 events are remembered, and the one that is forgotten begins anew", async () => {
  const faults = createFaults({ name: "service-g" });
  const ids = Array.from({ length: 100 }, (_, i) => `r${i}`);
  const fails = (requestId: string, attempt: number) =>
    draw({ seed: 7, target: "service-g", action: "503", requestId, attempt }) < 0.5;
  const requestId = ids.find((id) => fails(id, 1) && !fails(id, 2) && fails(id, 3)) ?? "";
  const deliver = async (event: string) =>
    (await injectInto("service-g=503@50%;seed=7", { faults, requestId, event })) !== undefined;
  assert.deepEqual([await deliver("one"), await deliver("one")], [true, false]);
  for (let i = 0; i < 9_999; i++) await deliver(`other ${i}`);
  assert.equal(await deliver("one"), true, "its third attempt");
  for (let i = 0; i < 10_000; i++) await deliver(`another ${i}`);
  assert.deepEqual([await deliver("one"), await deliver("one")], [true, false]);
});

test("actions of one target happen in order, and each is reported", async () => {
  const reported: string[] = [];
  const faults = createFaults({ name: "service-g", onFault: (kind) => reported.push(kind) });
  const seen: unknown[][] = [];
  using running = testCall({
    headers: { "x-fault": "service-g=delay:20ms, service-g=503, service-g=delay:10s" },
  });
  const served = { kind: "server", name: "GET /", attributes: {} } as const;
  const operation = {
    ...createTracing().begin(served, running),
    event: (...event: unknown[]) => void seen.push(event),
  };
  const call = running.with({ operation });
  const before = performance.now();
  await assert.rejects(faults.inject(call), { message: "service-g: a fault was injected: 503" });
  // Timers may fire up to a millisecond early.
  assert.ok(performance.now() - before >= 19);
  assert.deepEqual(reported, ["delay", "status"]);
  assert.deepEqual(seen, [
    ["fault.injected", { "fault.target": "service-g", "fault.action": "delay:20ms" }],
    ["fault.injected", { "fault.target": "service-g", "fault.action": "503" }],
  ]);
});

test("a delay ends with its call's deadline, which says that it was one", async () => {
  const headers = { "x-fault": "service-g=delay:30s" };
  using call = testCall({ headers, timeoutMs: 30 });
  await assert.rejects(createFaults({ name: "service-g" }).inject(call), {
    code: "ERR_DEADLINE",
    message: "service-g: no answer within 30 ms (a fault was injected: delay:30s)",
  });
});

test("a delay ends as the client leaves", async () => {
  using call = testCall({ headers: { "x-fault": "service-g=delay:30s" } });
  const injected = createFaults({ name: "service-g" }).inject(call);
  call.abort(new HostError("ERR_CANCELLED", "the client left"));
  await assert.rejects(injected, { code: "ERR_CANCELLED" });
});
