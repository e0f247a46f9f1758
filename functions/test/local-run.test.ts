import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { functionNames } from "../local/discover.ts";
import { type Clone, freeRange, makeClone, startReady } from "./support/clone.ts";
import { eventually } from "./support/graph.ts";

const functionCount = functionNames().length;

describe("npm start", () => {
  test("runs the graph once, and leaves nothing behind after Ctrl-C", async () => {
    await using clone = await makeClone();
    const port = await freeRange(functionCount);
    const start = await startReady(clone, port);
    const response = await fetch(`http://127.0.0.1:${port}/api/greeting`);
    assert.equal(response.status, 200);

    const second = clone.run("start", "--port", String(port));
    assert.equal(await second.ended, 1);
    assert.match(second.printed(), new RegExp(`running already: http://localhost:${port}`));

    const invoke = clone.run("invoke", "service-c", "--grpc");
    assert.equal(await invoke.ended, 0, invoke.printed());
    assert.match(invoke.printed(), /Konnichiwa, from Service-C!/);

    start.signal("SIGINT");
    assert.equal(await start.ended, 0, start.printed());
    await leavesNothing(clone);
  });

  test("takes its functions along when it is killed, and services:down ends the rest", async () => {
    await using clone = await makeClone();
    const start = await startReady(clone, await freeRange(functionCount));
    start.signal("SIGKILL");
    await start.ended;
    await eventually(
      async () => clone.processes().filter((line) => line.includes("host/main.ts")),
      (functions) => functions.length === 0,
    );
    const down = clone.run("services:down");
    assert.equal(await down.ended, 0, down.printed());
    await leavesNothing(clone);
  });

  test("names who holds a port that it needs, and leaves nothing behind", async () => {
    await using clone = await makeClone();
    const port = await freeRange(functionCount);
    const holder = createServer().listen(port + 3, "127.0.0.1");
    const start = clone.run("start", "--port", String(port));
    const code = await start.ended;
    holder.close();
    assert.equal(code, 1);
    assert.match(start.printed(), new RegExp(`port ${port + 3} \\([\\w-]+\\) is held by`));
    assert.match(start.printed(), /--port/);
    await leavesNothing(clone);
  });

  test("ends in order when it is stopped half-way", async () => {
    await using clone = await makeClone();
    const start = clone.run("start", "--json", "--port", String(await freeRange(functionCount)));
    await eventually(
      async () => start.printed(),
      (printed) => printed.includes("listening on port"),
    );
    start.signal("SIGINT");
    assert.equal(await start.ended, 0, start.printed());
    await leavesNothing(clone);
  });
});

async function leavesNothing(clone: Clone): Promise<void> {
  await eventually(
    async () => clone.processes(),
    (left) => left.length === 0,
  );
}
