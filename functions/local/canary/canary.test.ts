import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { functionsDir, loadFunctions } from "../discover.ts";
import { UsageError } from "../options.ts";
import { loadCanary, parseCanary } from "./canary.ts";

const load = async (text: string) => loadCanary(parseCanary(text), await loadFunctions());

/** A folder far from the repository, with this index.ts. */
async function folderWith(index?: string) {
  const folder = await mkdtemp(join(tmpdir(), "canary-"));
  if (index !== undefined) await writeFile(join(folder, "index.ts"), index);
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

test("the share follows the folder, and is a tenth without one", () => {
  assert.partialDeepStrictEqual(parseCanary("service-c=/a/b"), { folder: "/a/b", percent: 10 });
  const quarter = { of: "service-c", folder: "/a:b", percent: 25 };
  assert.partialDeepStrictEqual(parseCanary("service-c=/a:b:25"), quarter);
});

for (const text of ["service-c", "=folder", "service-c=", "service-c=a:0", "service-c=a:100"]) {
  test(`--canary ${text} is refused`, () => {
    assert.throws(() => parseCanary(text), UsageError);
  });
}

test("a copy of a function's folder is loaded wherever it is, with its imports of the host", async () => {
  await using copy = await folderWith();
  await cp(join(functionsDir, "service-c"), copy.folder, { recursive: true });
  const canary = await load(`service-c=${copy.folder}`);
  assert.equal(canary.name, "service-c v2");
  assert.equal(canary.definition.effects[0]?.destination, "service-c.greetings");
});

test("a folder that is no other version of the function is refused, and the message says why", async () => {
  await using empty = await folderWith();
  await using broken = await folderWith('import "./missing.ts";\n');
  await using stranger = await folderWith(
    'import { grpc, greeter } from "#host";\nexport default greeter({ name: "service-c", greeting: "hi", calls: [grpc("nobody")] });\n',
  );
  for (const [text, message] of [
    ["nobody=/tmp", /no function that others call is named nobody; there are .*service-a, /],
    ["gateway=/tmp", /no function that others call is named gateway/],
    [`service-c=${empty.folder}`, /has no index\.ts; a folder like functions\/service-c/],
    [`service-c=${broken.folder}`, /index\.ts:1: .*missing\.ts/],
    [`service-d=${join(functionsDir, "service-c")}`, /declares "service-c", and not another/],
    [`service-c=${stranger.folder}`, /index\.ts: calls .*"nobody"/],
  ] as const) {
    await assert.rejects(load(text), (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});
