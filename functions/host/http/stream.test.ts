import assert from "node:assert/strict";
import { request } from "node:http";
import { Readable } from "node:stream";
import { test } from "node:test";
import { ask } from "../../test/support/ask.ts";
import { testFunction } from "../../test/support/test-function.ts";
import { startTestHost } from "../../test/support/test-host.ts";
import { until } from "../../test/support/until.ts";

/** A function that streams until draining begins, and what became of its streams. */
function streaming({ endsWhenDraining = true } = {}) {
  const streams: Readable[] = [];
  const aborted: unknown[] = [];
  const definition = testFunction({
    routes: [
      {
        method: "GET",
        path: "/stream",
        async handle({ call }) {
          call.signal.addEventListener("abort", () => aborted.push(call.signal.reason.code));
          const body = new Readable({ read() {} });
          streams.push(body);
          body.push("first\n");
          return { status: 200, headers: { "content-type": "text/event-stream" }, body };
        },
      },
    ],
    async drain() {
      if (endsWhenDraining) for (const stream of streams) stream.push(null);
    },
  });
  return { definition, streams, aborted };
}

/** Opens the stream, and settles when its begin is here. */
async function open(port: number) {
  let text = "";
  const outgoing = request({ host: "127.0.0.1", port, path: "/stream", agent: false }).end();
  const { promise: ended, resolve } = Promise.withResolvers<"end" | "cut">();
  outgoing.on("error", () => resolve("cut"));
  outgoing.once("response", (incoming) => {
    incoming.on("data", (chunk: Buffer) => {
      text += chunk;
    });
    incoming.once("end", () => resolve("end"));
    incoming.once("error", () => resolve("cut"));
  });
  await until("the stream's begin", () => text.includes("first"));
  return { text: () => text, ended, leave: () => outgoing.destroy() };
}

test("a stream goes on after the deadline", async () => {
  const { definition, streams, aborted } = streaming();
  await using host = await startTestHost(definition, { env: { DEADLINE_MS: "100" } });
  const client = await open(host.port);
  await new Promise((resolve) => setTimeout(resolve, 200));
  streams[0]?.push("second\n");
  await until("what was sent after it", () => client.text() === "first\nsecond\n");
  assert.deepEqual(aborted, []);
  streams[0]?.push(null);
  assert.equal(await client.ended, "end");
});

test("a stream is destroyed, and its call aborted, when its client leaves", async () => {
  const { definition, streams, aborted } = streaming();
  await using host = await startTestHost(definition);
  const client = await open(host.port);
  client.leave();
  await until("the stream's end", () => streams[0]?.destroyed);
  assert.deepEqual(aborted, ["ERR_CANCELLED"]);
});

test("a stream that ends when draining begins is read to its end", async () => {
  const { definition } = streaming();
  await using host = await startTestHost(definition);
  const client = await open(host.port);
  await host.close();
  assert.equal(await client.ended, "end");
});

test("a stream that does not end is cut off, and does not delay the close", async () => {
  const { definition } = streaming({ endsWhenDraining: false });
  await using host = await startTestHost(definition, { env: { DRAIN_TIMEOUT_MS: "60000" } });
  const client = await open(host.port);
  await host.close();
  assert.equal(await client.ended, "cut");
  assert.ok(!host.logs.some(({ msg }) => msg.includes("drain limit")));
});

test("HEAD of a stream is answered at once", async () => {
  const { definition, streams } = streaming();
  await using host = await startTestHost(definition);
  const answer = await ask(host.port, "/stream", { method: "HEAD" });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["content-type"], "text/event-stream");
  assert.ok(streams[0]?.destroyed);
});
