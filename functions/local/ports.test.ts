import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { accepts, freePort, holderOf, isFree } from "./ports.ts";

async function listener(host: string) {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

test("a free port is free, has no holder and accepts no connection", async () => {
  const port = await freePort();
  assert.equal(await isFree(port), true);
  assert.equal(await accepts(port), false);
  assert.equal(await holderOf(port), undefined);
});

test("free ports that nothing listens on yet are each given once", async () => {
  const ports = await Promise.all(Array.from({ length: 400 }, freePort));
  assert.equal(new Set(ports).size, 400);
});

for (const host of ["127.0.0.1", "0.0.0.0"]) {
  test(`a port that is listened on at ${host} is not free, and its holder is named`, async () => {
    await using taken = await listener(host);
    assert.equal(await isFree(taken.port), false);
    assert.equal(await accepts(taken.port), true);
    assert.match((await holderOf(taken.port)) ?? "", new RegExp(`\\(pid ${process.pid}\\)$`));
  });
}
