/** HTTP/2, frame by frame, against a greeter: whatever comes, the connection ends and others are served. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "../support/ask.ts";
import { askByGrpc } from "../support/ask-by-grpc.ts";
import { assertNoInternals, exchange } from "../support/fuzz/answers.ts";
import { fuzz } from "../support/fuzz/fuzz.ts";
import { rawConnection, resetCalls } from "../support/fuzz/http2-inputs.ts";
import { greeterMain, startTarget } from "../support/fuzz/target.ts";

test("whatever frames come, the connection ends and others are served", async (context) => {
  await using target = await startTarget("fuzzed", { entry: greeterMain });
  await fuzz(context, {
    seam: "http2",
    input: rawConnection,
    bytesOf: (sent) => sent,
    async send(sent) {
      // The client leaves when it hears nothing more: the server has to close then, whatever calls are open.
      assertNoInternals((await exchange(target.port, [sent])).toString("latin1"));
    },
    targets: [target],
    async wellAfter() {
      assert.equal((await askByGrpc(target.port)).length, 1);
      assert.equal((await ask(target.port, "/healthz")).status, 200);
    },
  });
});

test("calls that are reset before they begin leave nothing behind", async () => {
  await using target = await startTarget("fuzzed", { entry: greeterMain });
  const resetMany = async () => {
    for (let i = 0; i < 12; i++) await exchange(target.port, [resetCalls]);
    return target.memory();
  };
  const before = await resetMany();
  // A timer that keeps a call for its time keeps 4 KiB of it, and these are more than 10,000.
  const after = await resetMany();
  const mebibytes = (after - before) / 2 ** 20;
  assert.ok(mebibytes < 8, `${mebibytes} MiB more`);
});
