import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { functionNames } from "../local/discover.ts";
import { type Clone, freeRange, makeClone, startReady } from "./support/clone.ts";
import { eventually } from "./support/graph.ts";
import { attachDebugger } from "./support/inspector.ts";

const functionCount = functionNames().length;

describe("npm start", () => {
  test("runs the graph once, and leaves nothing behind after Ctrl-C", async () => {
    await using clone = await makeClone();
    const port = await freeRange(functionCount);
    const start = await startReady(clone, port, "--inspect", "service-c");
    const [, inspector] = /service-c +127\.0\.0\.1:(\d+)$/m.exec(start.printed()) ?? [];
    await using _attached = await attachDebugger(Number(inspector));
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

  test("takes along all that it started when it is killed, and keeps the data for the next start", async () => {
    await using clone = await makeClone();
    const port = await freeRange(functionCount);
    const messages = async (): Promise<unknown[]> => {
      const path = "/api/services/service-f/messages";
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return ((await response.json()) as { messages: unknown[] }).messages;
    };
    const start = await startReady(clone, port);
    await fetch(`http://127.0.0.1:${port}/api/greeting`);
    const [kept] = await eventually(messages, (stored) => stored.length === 1);
    start.signal("SIGKILL");
    await start.ended;
    await leavesNothing(clone);

    const again = await startReady(clone, port);
    assert.deepEqual(await messages(), [kept]);
    again.signal("SIGKILL");
    await again.ended;
    const third = await startReady(clone, port);
    assert.deepEqual(
      await messages(),
      [kept],
      "a start right after a kill waits for what still ends",
    );
    third.signal("SIGINT");
    assert.equal(await third.ended, 0, third.printed());
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
