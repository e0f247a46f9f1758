import assert from "node:assert/strict";
import { test } from "node:test";
import { oneArena, smallHeap } from "../local/small-heap.ts";
import { imageOf } from "./image.ts";

test("a function starts as the Dockerfile says, from its folder", () => {
  const { start, prepare } = imageOf("service-c", "/built");
  assert.ok(start.args.includes("/built/main.js"));
  assert.partialDeepStrictEqual(start.env, {
    FUNCTION_TARGET: "service-c",
    NODE_ENV: "production",
    NODE_COMPILE_CACHE: "/built/cache",
  });
  const [compiled] = prepare.filter(({ env }) => env.NODE_COMPILE_CACHE === "/built/cache");
  assert.equal(compiled?.env.NODE_OPTIONS, start.env.NODE_OPTIONS, "or the cache is not read");
  const local = { NODE_OPTIONS: smallHeap, ...oneArena };
  assert.partialDeepStrictEqual(start.env, local, "the local run has the images' options");
});

test("a flag that is added to the Dockerfile is used", () => {
  const text = `ARG BASE=node
FROM \${BASE} AS build
RUN node bundle.ts
FROM build AS compiled
RUN ["/node", "/app/main.js", "--once"]
FROM \${BASE}
# A comment.
ENV A=1 \\
    B="--two --three"
CMD ["--max-semi-space-size=4", "/app/main.js"]
`;
  assert.deepEqual(imageOf("service-c", "/built", text), {
    prepare: [{ args: ["/built/main.js", "--once"], env: {} }],
    start: {
      args: ["--max-semi-space-size=4", "/built/main.js"],
      env: { A: "1", B: "--two --three" },
    },
  });
});
