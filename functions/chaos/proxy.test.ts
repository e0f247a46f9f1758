import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { until } from "../test/support/until.ts";
import { openProxy } from "./proxy.ts";

/** Says each thing back that it hears, after its own name. */
async function startEcho(name = "") {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.on("data", (chunk) => socket.write(`${name}${chunk}`));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function open(port: number) {
  const socket = connect(port, "127.0.0.1");
  let heard = "";
  let error: NodeJS.ErrnoException | undefined;
  socket.setEncoding("utf8").on("data", (text: string) => {
    heard += text;
  });
  socket.on("error", (thrown) => {
    error = thrown;
  });
  return {
    socket,
    heard: () => heard,
    error: () => error?.code,
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

test("what is sent comes in its order, also when a delay ends", async () => {
  await using echo = await startEcho();
  await using proxy = await openProxy([echo.port]);
  using client = open(proxy.port);
  let sent = "";
  for (let i = 0; i < 60; i++) {
    if (i === 20) proxy.slow(50);
    if (i === 40) await proxy.clear();
    client.socket.write(`${i},`);
    sent += `${i},`;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await until("all is back", () => client.heard() === sent);
});

test("a black hole lets nothing through, and all of it when it ends", async () => {
  await using echo = await startEcho();
  await using proxy = await openProxy([echo.port]);
  using before = open(proxy.port);
  before.socket.write("a");
  await until("a is back", () => before.heard() === "a");
  proxy.freeze();
  before.socket.write("b");
  using during = open(proxy.port);
  during.socket.write("c");
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual([before.heard(), during.heard()], ["a", ""]);
  await proxy.clear();
  await until("b and c are back", () => before.heard() === "ab" && during.heard() === "c");
});

test("a half-open connection is silent until it is reset, and new ones work", async () => {
  await using echo = await startEcho();
  await using proxy = await openProxy([echo.port]);
  using old = open(proxy.port);
  old.socket.write("a");
  await until("a is back", () => old.heard() === "a");
  proxy.halfOpen();
  old.socket.write("b");
  using fresh = open(proxy.port);
  fresh.socket.write("c");
  await until("c is back", () => fresh.heard() === "c");
  assert.deepEqual([old.heard(), old.error()], ["a", undefined]);
  await proxy.clear();
  await until("the old one is reset", () => old.error() === "ECONNRESET");
});

test("resets and cuts end every connection, until they are over", async () => {
  await using echo = await startEcho();
  await using proxy = await openProxy([echo.port]);
  using first = open(proxy.port);
  await once(first.socket, "connect");
  proxy.reset();
  await until("it is reset", () => first.error() === "ECONNRESET");
  await proxy.cut();
  using second = open(proxy.port);
  await until("it is refused", () => second.error() === "ECONNREFUSED");
  await proxy.clear();
  using third = open(proxy.port);
  third.socket.write("a");
  await until("a is back", () => third.heard() === "a");
});

test("a connection goes to the next target where one is away", async () => {
  await using one = await startEcho("1");
  await using two = await startEcho("2");
  const gone = await startEcho();
  await gone[Symbol.asyncDispose]();
  await using proxy = await openProxy([one.port, gone.port, two.port]);
  const answers: string[] = [];
  for (let i = 0; i < 3; i++) {
    using client = open(proxy.port);
    client.socket.write("a");
    await until("it is back", () => client.heard().length === 2);
    answers.push(client.heard());
  }
  assert.deepEqual(answers.sort(), ["1a", "1a", "2a"]);
});
