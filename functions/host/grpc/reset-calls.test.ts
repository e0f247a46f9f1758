/** Calls that a client resets before grpc-js looks at them: their answer would end the process. */
import { test } from "node:test";
import { askByGrpc } from "../../test/support/ask-by-grpc.ts";
import {
  block,
  flag,
  frame,
  frameType,
  headersOf,
  preface,
  uint32,
} from "../../test/support/fuzz/http2-frames.ts";
import { greeterMain, startTarget } from "../../test/support/fuzz/target.ts";
import { openRaw } from "../../test/support/raw.ts";
import { until } from "../../test/support/until.ts";

const cancel = uint32(8);
const settings = frame(frameType.settings, 0, 0);
const ping = frame(frameType.ping, 0, 0, Buffer.alloc(8));
const noGrpc = block([
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/greeting.GreetingService/Greeting"],
  [":authority", "a"],
  ["content-type", "text/plain"],
]);

for (const [what, headers] of [
  ["a content type that is not gRPC's", noGrpc],
  ["a method that there is not", headersOf("/greeting.GreetingService/Nothing")],
  ["a method that there is", headersOf("/greeting.GreetingService/Greeting")],
] as const) {
  test(`calls of ${what} that are reset at once do not end the process`, async () => {
    await using target = await startTarget("fuzzed", {
      entry: greeterMain,
    });
    using raw = await openRaw(target.port);
    const calls = Array.from({ length: 200 }, (_, i) => [
      frame(frameType.headers, flag.endHeaders, 2 * i + 1, headers),
      frame(frameType.reset, 0, 2 * i + 1, cancel),
    ]);
    raw.write(Buffer.concat([preface, settings, ...calls.flat(), ping]));
    // The answer to the ping comes after the calls; a process that ends closes the connection instead.
    const pong = frame(frameType.ping, 1, 0, Buffer.alloc(8)).toString("latin1");
    await until("the ping is answered, or the process has ended", () => {
      target.assertAlive();
      return raw.said().includes(pong);
    });
    await askByGrpc(target.port);
    target.assertAlive();
  });
}
