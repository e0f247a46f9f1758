import assert from "node:assert/strict";
import { test } from "node:test";
import { createPeers } from "./peer.ts";

function calls(address: string, count: number): number[] {
  const peerOf = createPeers(() => address);
  return Array.from({ length: count }, () => peerOf("callee").port);
}

test("of each hundred calls, each address gets its percent, and those of the smaller share are spread", () => {
  const ports = calls("127.0.0.1:1=90,127.0.0.1:2=10", 200);
  for (const begin of [0, 10, 57, 100]) {
    const hundred = ports.slice(begin, begin + 100);
    assert.equal(hundred.filter((port) => port === 2).length, 10, `from ${begin}`);
  }
  const ofTen = ports.slice(0, 10);
  assert.equal(ofTen.filter((port) => port === 2).length, 1);
});

test("an address with nothing of the calls gets none", () => {
  assert.deepEqual(new Set(calls("a:1=0,b:2=100", 150)), new Set([2]));
});

test("a single address is read once, whatever is called how often", () => {
  let read = 0;
  const peerOf = createPeers(() => {
    read++;
    return "callee:80";
  });
  assert.equal(peerOf("callee"), peerOf("callee"));
  assert.equal(read, 1);
});
