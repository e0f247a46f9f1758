import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createHttpClient } from "#host/http/client";
import { claimsOfBothClients } from "../../test/support/client-claims.ts";
import { testCall } from "../../test/support/test-call.ts";

function clientOf(address: string) {
  const client = createHttpClient(() => address);
  return { ...client, [Symbol.dispose]: client.close };
}

claimsOfBothClients("HTTP", clientOf);

/** A server that is none of ours. */
async function startForeign(listener: RequestListener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

const problem = (code: string) => JSON.stringify({ code, detail: "callee > leaf: why" });

for (const [status, body, code, message] of [
  [500, "oops", "ERR_ANSWER", "callee: answered with HTTP status 500"],
  [503, "no healthy upstream", "ERR_CALLEE", "callee: answered with HTTP status 503"],
  [502, "<html>", "ERR_CALLEE", "callee: answered with HTTP status 502"],
  [429, "", "ERR_CALLEE", "callee: answered with HTTP status 429"],
  [504, "upstream request timeout", "ERR_DEADLINE", "callee: answered with HTTP status 504"],
  [404, "null", "ERR_ANSWER", "callee: answered with HTTP status 404"],
  [302, "", "ERR_ANSWER", "callee: answered with HTTP status 302"],
  [503, problem("ERR_STORE"), "ERR_STORE", "callee > leaf: why"],
  [503, problem("ERR_OTHER"), "ERR_CALLEE", "callee: answered with HTTP status 503"],
  [503, '{"code":"ERR_STORE"}', "ERR_STORE", "callee: answered with HTTP status 503"],
  [200, "hello", "ERR_ANSWER", "callee: answered with something other than greetings"],
  [200, "", "ERR_ANSWER", "callee: answered with something other than greetings"],
  [200, "{}", "ERR_ANSWER", "callee: answered with something other than greetings"],
  [200, '{"greeting":{}}', "ERR_ANSWER", "callee: answered with something other than greetings"],
  [
    200,
    '{"greeting":[null]}',
    "ERR_ANSWER",
    "callee: answered with something other than greetings",
  ],
  [
    200,
    '{"greeting":["hi"]}',
    "ERR_ANSWER",
    "callee: answered with something other than greetings",
  ],
] as const) {
  test(`${status} ${JSON.stringify(body)} is ${code}`, async () => {
    await using foreign = await startForeign((_, response) => {
      response.statusCode = status;
      response.end(body);
    });
    using client = clientOf(foreign.address);
    using call = testCall();
    await assert.rejects(client.greetings("callee", call), { code, message });
  });
}

test("a callee that begins to answer and then says nothing is given up at the deadline", async () => {
  await using foreign = await startForeign((_, response) => {
    response.write('{"greeting":[');
  });
  using client = clientOf(foreign.address);
  using call = testCall({ timeoutMs: 80 });
  await assert.rejects(client.greetings("callee", call), {
    code: "ERR_DEADLINE",
    message: /^callee: no answer within/,
  });
});

test("an answer that breaks off is ERR_CALLEE", async () => {
  await using foreign = await startForeign((request, response) => {
    response.writeHead(200, { "content-length": 100 });
    response.write('{"greeting":[', () => request.socket.destroy());
  });
  using client = clientOf(foreign.address);
  using call = testCall();
  await assert.rejects(client.greetings("callee", call), {
    code: "ERR_CALLEE",
    message: `callee: unreachable at ${foreign.address} (aborted)`,
  });
});

test("an answer without end is not read to its end", async () => {
  let open = 0;
  await using foreign = await startForeign((_, response) => {
    open++;
    response.once("close", () => open--);
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(1_000_000)));
      response.once("drain", more);
    };
    more();
  });
  using client = clientOf(foreign.address);
  using call = testCall();
  await assert.rejects(client.greetings("callee", call), { code: "ERR_ANSWER" });
});

test("a kept connection that ends as it is taken again is replaced, once", async () => {
  const served = new WeakSet<object>();
  let asked = 0;
  await using foreign = await startForeign(({ socket }, response) => {
    asked++;
    if (served.has(socket)) return void socket.destroy();
    served.add(socket);
    response.end('{"greeting":[]}');
  });
  using client = clientOf(foreign.address);
  using call = testCall();
  await client.greetings("callee", call);
  await client.greetings("callee", call);
  assert.equal(asked, 3);
});

test("a new connection that ends without an answer is tried again by the same key alone", async () => {
  const keys: unknown[] = [];
  await using foreign = await startForeign(({ socket, headers }) => {
    keys.push(headers["idempotency-key"]);
    socket.destroy();
  });
  using client = clientOf(foreign.address);
  using call = testCall();
  await assert.rejects(client.greetings("callee", call), { code: "ERR_CALLEE" });
  assert.ok(keys.length > 1);
  assert.equal(new Set(keys).size, 1);
  keys.length = 0;
  const message = { method: "POST", path: "/" } as const;
  await assert.rejects(client.send("callee", message, call), { code: "ERR_CALLEE" });
  assert.deepEqual(keys, [undefined], "without a key, what may have been processed is not");
});

test("send returns whatever is answered, and sends body and headers as they are", async () => {
  await using foreign = await startForeign(async (request, response) => {
    const chunks = await request.toArray();
    response.writeHead(418, { "x-seen": String(request.headers["ce-id"]) });
    response.end(Buffer.concat(chunks));
  });
  using client = clientOf(foreign.address);
  using call = testCall();
  const body = Buffer.from([0, 1, 254, 255]);
  const message = { method: "POST", path: "/", headers: { "ce-id": "1" }, body } as const;
  const answer = await client.send("callee", message, call);
  assert.equal(answer.status, 418);
  assert.equal(answer.headers["x-seen"], "1");
  assert.deepEqual(answer.body, body);
});
