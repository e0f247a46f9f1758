import assert from "node:assert/strict";
import { test } from "node:test";
import { type ErrorCode, errorTable, HostError, problemType, reasonOf } from "#host/base/errors";
import { createGrpcClient } from "#host/grpc/client";
import { ask } from "../../test/support/ask.ts";
import { testCall } from "../../test/support/test-call.ts";
import { testFunction } from "../../test/support/test-function.ts";
import { startTestHost } from "../../test/support/test-host.ts";

/** The contract with clients: HTTP status, gRPC status, worth trying again. */
const contract: Record<ErrorCode, [http: number, grpc: number, retryable: boolean]> = {
  ERR_BAD_REQUEST: [400, 3, false],
  ERR_NOT_FOUND: [404, 5, false],
  ERR_METHOD: [405, 12, false],
  ERR_MEDIA_TYPE: [415, 3, false],
  ERR_TOO_LARGE: [413, 8, false],
  ERR_CANCELLED: [499, 1, false],
  ERR_INTERNAL: [500, 13, false],
  ERR_CONFIG: [500, 9, false],
  ERR_ANSWER: [502, 2, false],
  ERR_CALLEE: [503, 14, true],
  ERR_STORE: [503, 14, true],
  ERR_PUBLISH: [503, 14, true],
  ERR_OVERLOAD: [503, 14, true],
  ERR_DRAINING: [503, 14, true],
  ERR_DEADLINE: [504, 4, true],
};
const codes = Object.keys(errorTable) as ErrorCode[];

test("every code has the statuses of the contract, and no code is missing from it", () => {
  const found = codes.map((code) => {
    const { http, grpc, retryable } = new HostError(code, "why");
    return [code, [http, grpc, retryable]];
  });
  assert.deepEqual(Object.fromEntries(found), contract);
});

test("every code reaches a client with its status and its message, over HTTP and gRPC", async () => {
  const fails = testFunction({
    routes: [
      {
        method: "GET",
        path: "/{code}",
        handle: async ({ parameters }) => {
          throw new HostError(parameters.code as ErrorCode, "what happened");
        },
      },
    ],
    greetings: async ({ headers }) => {
      throw new HostError(headers["x-request-id"] as ErrorCode, "what happened");
    },
  });
  await using host = await startTestHost(fails);
  const client = createGrpcClient(() => host.address);
  for (const code of codes) {
    const [status] = contract[code];
    const answer = await ask(host.port, `/${code}`);
    assert.equal(answer.status, status, code);
    assert.equal(answer.headers["content-type"], problemType);
    const { title, ...problem } = answer.json();
    assert.deepEqual(problem, { status, detail: "what happened", code });
    assert.ok(title);

    using call = testCall({ headers: { "x-request-id": code } });
    await assert.rejects(client.greetings("tested", call), { code, message: "what happened" });
  }
  client.close();
});

test("from keeps an error of ours, and hides the text of any other", () => {
  const ours = new HostError("ERR_STORE", "away");
  assert.equal(HostError.from(ours), ours);
  for (const thrown of [new TypeError("password=hunter2"), "hunter2", undefined, null]) {
    const error = HostError.from(thrown);
    assert.equal(error.code, "ERR_INTERNAL");
    assert.equal(error.cause, thrown);
    assert.doesNotMatch(JSON.stringify(error.toProblem()), /hunter2/);
  }
});

test("an error carries the path of hops, and its code, up to the root", () => {
  const error = new HostError("ERR_PUBLISH", "RabbitMQ is away").at("service-d").via("service-b");
  assert.equal(error.message, "service-b > service-d: RabbitMQ is away");
  assert.equal(error.code, "ERR_PUBLISH");
});

test("the reason of a failure is its innermost message", () => {
  const refused = new Error("connect ECONNREFUSED 127.0.0.1:1");
  for (const [thrown, reason] of [
    [new Error("outer", { cause: new Error("middle", { cause: refused }) }), refused.message],
    [new AggregateError([refused, new Error("second")]), refused.message],
    [new AggregateError([], "all failed"), "all failed"],
    [new RangeError(""), "RangeError"],
    ["text", "text"],
  ] as const) {
    assert.equal(reasonOf(thrown), reason);
  }
});
