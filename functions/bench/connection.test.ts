import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { openConnection } from "./connection.ts";

async function serve(listener: RequestListener) {
  const server = createServer(listener);
  await once(server.listen(0, "127.0.0.1"), "listening");
  let connections = 0;
  server.on("connection", () => connections++);
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}/a?b=c`),
    connections: () => connections,
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const text = JSON.stringify({ greeting: "Grüße" });

test("one connection carries all requests, whether answers have a length or come in chunks", async () => {
  let requests = 0;
  using server = await serve(({ url }, response) => {
    assert.equal(url, "/a?b=c");
    response.setHeader("Content-Type", "application/json");
    if (++requests % 2 === 0) response.end(text);
    else {
      response.write(text.slice(0, 5));
      setImmediate(() => response.end(text.slice(5)));
    }
  });
  using connection = openConnection(server.url, 5_000);
  for (let n = 0; n < 4; n++) {
    const { status, type, text: body } = await connection.ask();
    assert.deepEqual([status, type, body], [200, "application/json", text]);
  }
  assert.equal(server.connections(), 1);
});

test("a connection that the server closes is opened anew for the next request", async () => {
  using server = await serve((_request, response) => {
    response.writeHead(503, { connection: "close" }).end(text);
  });
  using connection = openConnection(server.url, 5_000);
  assert.equal((await connection.ask()).status, 503);
  assert.equal((await connection.ask()).text, text);
  assert.equal(server.connections(), 2);
});

test("a connection that breaks before the answer is an error", async () => {
  using server = await serve((_request, response) => response.destroy());
  using connection = openConnection(server.url, 5_000);
  await assert.rejects(connection.ask(), /closed before the answer|ECONNRESET/);
});

test("an answer that does not come in time is an error", async () => {
  using server = await serve(() => {});
  using connection = openConnection(server.url, 50);
  await assert.rejects(connection.ask(), /no answer in 50 ms/);
});
