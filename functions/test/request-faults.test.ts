import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { PropagatedHeaders } from "#host/base/headers";
import { draw } from "#host/call/faults";
import { askByGrpc } from "./support/ask-by-grpc.ts";
import {
  type Answer,
  deadLetters,
  eventually,
  openStores,
  type Stores,
  startTestGraph,
  type TestGraph,
} from "./support/graph.ts";

const pathToG = "service-a > service-b > service-e > service-g";
const injected = (status: number) => `a fault was injected: ${status}`;

describe("requests that bring faults along", () => {
  let system: TestGraph;
  let stores: Stores;

  before(async () => {
    system = await startTestGraph({ FAULTS: "on" });
    stores = await openStores(system.graph);
  });
  after(async () => {
    await stores?.[Symbol.asyncDispose]();
    await system?.[Symbol.asyncDispose]();
  });

  const ask = async (headers: PropagatedHeaders = {}): Promise<Answer> => {
    const response = await system.fetch("gateway", "/api/greeting", { headers });
    return { status: response.status, body: (await response.json()) as Answer["body"] };
  };
  const saidOf = (...words: string[]) =>
    system.said.filter((line) => words.every((word) => line.includes(word))).length;

  for (const protocol of ["declared", "http", "grpc"] as const) {
    test(`fail at the function that they name, by ${protocol} calls, with the path of hops`, async () => {
      const headers = { "x-fault": "service-g=503", "x-call-protocol": protocol };
      const { status, body } = await ask(headers);
      assert.equal(status, 503);
      assert.partialDeepStrictEqual(body, {
        status: 503,
        code: "ERR_CALLEE",
        detail: `${pathToG}: ${injected(503)}`,
      });
      const port = system.graph.addresses.get("gateway") ?? 0;
      await assert.rejects(askByGrpc(port, headers), {
        code: 14,
        details: `${pathToG}: ${injected(503)}`,
      });
    });
  }

  test("fail alone: others that run at the same time are whole", async () => {
    const requests = Array.from({ length: 60 }, (_, i) => i % 3 === 0);
    const answers = await Promise.all(
      requests.map((faulty) => ask(faulty ? { "x-fault": "service-g=504" } : {})),
    );
    for (const [i, { status, body }] of answers.entries()) {
      assert.equal(status, requests[i] ? 504 : 200, JSON.stringify(body));
      if (!requests[i]) assert.equal(body.greeting?.length, 7);
    }
  });

  test("are slow where they say so, and no further than their deadline", async () => {
    const start = performance.now();
    const slow = await ask({ "x-fault": "service-c=delay:800ms" });
    assert.equal(slow.status, 200);
    assert.equal(slow.body.greeting?.length, 7);
    // Timers may fire up to a millisecond early.
    assert.ok(performance.now() - start >= 799);

    const late = await ask({ "x-fault": "service-c=delay:30s" });
    assert.equal(late.status, 504);
    assert.match(late.body.detail ?? "", /^service-a > service-c: no answer within/);
  });

  test("carry a fault through the queue to F, where each delivery draws anew until it is stored", async () => {
    const isFault = (requestId: string, attempt: number) =>
      draw({ seed: 7, target: "service-f", action: "503", requestId, attempt }) < 0.5;
    const candidates = Array.from({ length: 1_000 }, () => randomUUID());
    const requestId = candidates.find((id) => isFault(id, 1) && isFault(id, 2) && !isFault(id, 3));
    assert.ok(requestId);
    const { status, body } = await ask({
      "x-fault": "service-f=503@50%; seed=7",
      "x-request-id": requestId,
    });
    assert.equal(status, 200, "no request waits for F");
    const id = body.greeting?.[0]?.id ?? "";
    await eventually(
      () => stores.eventIds(),
      (ids) => ids.has(id),
    );
    const failed = saidOf(id, `service-f: ${injected(503)}`);
    assert.equal(failed, 2, "two deliveries failed, and the third was stored");
    assert.equal(await stores.waiting(deadLetters), 0);
  });

  test("end with their reason in the dead-letter queue when F refuses the event for good", async () => {
    const { status } = await ask({ "x-fault": "service-f=400" });
    assert.equal(status, 200);
    await eventually(
      () => stores.waiting(deadLetters),
      (waiting) => waiting === 1,
    );
    // It is said once the broker has confirmed the message, which may be a moment later.
    await eventually(
      async () => saidOf(`400: service-f: ${injected(400)}`),
      (said) => said === 1,
    );
  });

  test("fail the same way again with the same seed and request ids, and another way with another", async () => {
    const run = async (seed: number) => {
      const headers = (i: number) => ({
        "x-fault": `service-g=503@30%, service-h=504@30%, seed=${seed}`,
        "x-request-id": `run-${i}`,
      });
      const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => ask(headers(i))));
      return answers.map(({ body }) => body.detail ?? "whole");
    };
    // Where both fail, either may be first; where one does, it is the same one each time.
    const shape = (details: string[]) => details.map((detail) => detail === "whole");
    const first = await run(42);
    assert.deepEqual(shape(await run(42)), shape(first));
    assert.notDeepEqual(shape(await run(43)), shape(first));
    assert.ok(first.includes("whole"));
    assert.ok(first.some((detail) => detail === `${pathToG}: ${injected(503)}`));
  });

  test("are refused at the gateway when they are wrong or name no function", async () => {
    for (const [fault, why] of [
      ["service-g=50x", '"service-g=50x": an HTTP status from 400 to 599 is expected'],
      ["service-x=503", '"service-x=503": there is no function service-x; there are gateway'],
      ["bridge=503", '"bridge=503": there is no function bridge'],
    ] as const) {
      const { status, body } = await ask({ "x-fault": fault });
      assert.equal(status, 400);
      assert.equal(body.code, "ERR_BAD_REQUEST");
      assert.ok(body.detail?.startsWith(`x-fault: ${why}`), body.detail);
    }
  });

  test("are counted by the function where they happened", async () => {
    const count = async () => {
      const text = await (await system.fetch("service-h", "/metrics")).text();
      const [, value = "0"] =
        /^faults_injected_total\{fault_action="status".*\} (\d+)$/m.exec(text) ?? [];
      return Number(value);
    };
    const before = await count();
    assert.equal((await ask({ "x-fault": "service-h=500" })).status, 500);
    assert.equal(await count(), before + 1);
  });
});
