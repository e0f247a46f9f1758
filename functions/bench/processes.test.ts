import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../test/support/until.ts";
import { cpuMsOf, residentMibOf, startProcess, treeOf } from "./processes.ts";

const linux = { skip: process.platform !== "linux" && "read from /proc" };

test(
  "a process's CPU and memory are read while it runs, and it belongs to our tree",
  linux,
  async () => {
    const args = [
      "--eval",
      "while (process.cpuUsage().user < 200_000); setInterval(() => {}, 1000)",
    ];
    await using busy = startProcess({ name: "busy", args, env: {} });
    await until("CPU time", () => cpuMsOf([busy.pid]) >= 100);
    assert.ok(residentMibOf(busy.pid) > 10);
    assert.ok(treeOf(process.pid).includes(busy.pid));
    assert.equal(busy.failure(), undefined);
  },
);

test("a process that ends by itself is a failure, with what it said", async () => {
  const args = ["--eval", 'process.stderr.write("no port"); process.exitCode = 1'];
  await using broken = startProcess({ name: "broken", args, env: {} });
  await until("its end", () => broken.failure() !== undefined);
  assert.equal(broken.failure(), "broken ended: no port");
});

test("a process that has ended counts no CPU", linux, async () => {
  const ended = startProcess({ name: "ended", args: ["--version"], env: {} });
  await ended[Symbol.asyncDispose]();
  assert.equal(cpuMsOf([ended.pid]), 0);
});
