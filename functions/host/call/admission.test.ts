import assert from "node:assert/strict";
import { test } from "node:test";
import { greeter, grpc, http } from "#host";
import type { PropagatedHeaders } from "#host/base/headers";
import type { Call } from "#host/call/call";
import type { Greeting } from "#proto";
import { ask } from "../../test/support/ask.ts";
import { askByGrpc } from "../../test/support/ask-by-grpc.ts";
import { type Edge, edges } from "../../test/support/edges.ts";
import { testFunction } from "../../test/support/test-function.ts";
import { startTestHost } from "../../test/support/test-host.ts";
import { until } from "../../test/support/until.ts";

const on = { FAULTS: "on" };

/** A function that notes the calls that reach it, and over which protocol they were asked for. */
function noting(name = "leaf") {
  const calls: Call[] = [];
  const paths: string[] = [];
  const greetings = async (call: Call): Promise<Greeting[]> => {
    calls.push(call);
    return [{ id: "1", service: name, message: "hi", created: "" }];
  };
  const overHttp = {
    method: "GET",
    path: "/api/greeting",
    async handle({ call }: { call: Call }) {
      paths.push("http");
      return { status: 200, body: { greeting: await greetings(call) } };
    },
  } as const;
  const overGrpc = async (call: Call) => {
    if (paths.length < calls.length + 1) paths.push("grpc");
    return greetings(call);
  };
  const definition = testFunction({ routes: [overHttp], greetings: overGrpc }, { name });
  return { definition, calls, paths };
}

async function startPair(env: Record<string, string>, edge: Edge = http) {
  const leaf = noting();
  const below = await startTestHost(leaf.definition, { env });
  const root = greeter({ name: "root", greeting: "hi", calls: [edge("leaf")] });
  const host = await startTestHost(root, { env, callees: { leaf: below.address } });
  return {
    ...leaf,
    host,
    below,
    get: (headers: PropagatedHeaders) => ask(host.port, "/", { headers }),
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await below[Symbol.asyncDispose]();
    },
  };
}

for (const edge of edges) {
  const over = edge("leaf").protocol;

  test(`${over}: a fault fails its target before its work, and the answer has the path of hops`, async () => {
    await using sut = await startPair(on, edge);
    const answer = await sut.get({ "x-fault": "leaf=503" });
    assert.equal(answer.status, 503);
    assert.deepEqual(answer.json(), {
      title: "Callee Unavailable",
      status: 503,
      detail: "root > leaf: a fault was injected: 503",
      code: "ERR_CALLEE",
    });
    assert.equal(sut.calls.length, 0);
    assert.equal((await sut.get({})).status, 200);
  });

  test(`${over}: a fault that is wrong is refused where it enters`, async () => {
    await using sut = await startPair(on, edge);
    const answer = await sut.get({ "x-fault": "leaf=now" });
    assert.equal(answer.status, 400);
    assert.match(answer.json<{ detail: string }>().detail, /^x-fault: "leaf=now": an HTTP status/);
    assert.equal(sut.calls.length, 0);
  });

  test(`${over}: without FAULTS=on the header is ignored, right or wrong, and not passed on`, async () => {
    await using sut = await startPair({}, edge);
    for (const fault of ["leaf=503", "leaf=now"]) {
      const answer = await sut.get({ "x-fault": fault });
      assert.equal(answer.status, 200, answer.text);
    }
    for (const { headers } of sut.calls) assert.ok(!("x-fault" in headers));
    assert.equal(sut.calls.length, 2);
  });

  test(`${over}: faults of others travel on`, async () => {
    await using sut = await startPair(on, edge);
    const fault = "other=503@50%; seed=1";
    assert.equal((await sut.get({ "x-fault": fault })).status, 200);
    assert.equal(sut.calls[0]?.headers["x-fault"], fault);
  });
}

test("a status that has no code of ours is answered as it is by the target itself", async () => {
  await using host = await startTestHost(noting().definition, { env: on });
  const answer = await ask(host.port, "/", { headers: { "x-fault": "leaf=418" } });
  assert.equal(answer.status, 418);
  assert.partialDeepStrictEqual(answer.json(), { status: 418, code: "ERR_ANSWER" });
});

test("a fault over gRPC is the status that belongs to it", async () => {
  await using host = await startTestHost(noting().definition, { env: on });
  await assert.rejects(askByGrpc(host.port, { "x-fault": "leaf=504" }), {
    code: 4,
    details: "leaf: a fault was injected: 504",
  });
});

test("a client that leaves during a delay ends it", async () => {
  await using host = await startTestHost(noting().definition, { env: on });
  const leaving = new AbortController();
  const headers = { "x-fault": "leaf=delay:4s" };
  const answer = ask(host.port, "/", { headers, signal: leaving.signal });
  await until("the delay", () => host.logs.some(({ msg }) => msg === "fault injected"));
  leaving.abort();
  await assert.rejects(answer, { name: "AbortError" });
  // The host would wait for a call that is in flight.
  await host.close();
  assert.ok(!host.logs.some(({ msg }) => msg.includes("cut off")));
});

for (const [declared, wish, variable, expected] of [
  [http, undefined, undefined, "http"],
  [http, "grpc", undefined, "grpc"],
  [grpc, "http", undefined, "http"],
  [grpc, "declared", "http", "grpc"],
  [http, undefined, "grpc", "grpc"],
  [http, "http", "grpc", "http"],
] as const satisfies readonly (readonly [Edge, ...unknown[]])[]) {
  const edge: Edge = declared;
  const said = `declared ${edge("").protocol}, wished ${wish ?? "nothing"}, variable ${variable ?? "unset"}`;
  test(`${said}: called by ${expected}, and the wish travels on`, async () => {
    await using sut = await startPair(variable ? { CALL_PROTOCOL: variable } : {}, edge);
    const answer = await sut.get(wish ? { "x-call-protocol": wish } : {});
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(sut.paths, [expected]);
    assert.equal(sut.calls[0]?.headers["x-call-protocol"], wish);
  });
}

test("a protocol that there is not is refused, over HTTP and gRPC", async () => {
  await using sut = await startPair({});
  const answer = await sut.get({ "x-call-protocol": "smtp" });
  assert.equal(answer.status, 400);
  const detail = "x-call-protocol: smtp: one of declared, http, grpc is expected";
  assert.partialDeepStrictEqual(answer.json(), { code: "ERR_BAD_REQUEST", detail });
  await assert.rejects(askByGrpc(sut.host.port, { "x-call-protocol": "smtp" }), {
    code: 3,
    details: detail,
  });
  assert.equal(sut.calls.length, 0);
});
