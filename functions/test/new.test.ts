/** `npm run new`, in a clone: its exit code, and that it leaves nothing when it refuses. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Clone, commitAll, makeClone } from "./support/clone.ts";

const refused: readonly (readonly [args: readonly string[], ...says: string[]])[] = [
  [[], "a name is missing"],
  [["a", "--nothing"], "--nothing"],
  [["service-d-source"], "service-d-source", "choose another name", "was removed again"],
  [
    ["Orders", "--calls", "grpc:servce-g", "--publishes", "Q"],
    'name "Orders": lower-case letters',
    'calls "servce-g", which is not a function: did you mean service-g?',
    'publishTo("Q"): lower-case letters',
  ],
];

describe("npm run new", () => {
  let clone: Clone;
  const status = () => clone.exec("git", "status", "--porcelain");

  before(async () => {
    clone = await makeClone();
    commitAll(clone);
  });
  after(() => clone?.[Symbol.asyncDispose]());

  for (const [args, ...says] of refused) {
    test(`refuses ${args.join(" ") || "no name"}`, async () => {
      const command = clone.run("new", ...args);
      assert.equal(await command.ended, 2, command.printed());
      const printed = command.printed();
      for (const text of says) assert.ok(printed.includes(text), printed);
      if (printed.startsWith("Nothing was written")) {
        assert.equal(printed.match(/^- /gm)?.length, says.length, printed);
      }
      assert.equal(status(), "");
    });
  }

  test("says what to type when npm has taken its options", async () => {
    const command = clone.run("new", "a", "POST /x");
    assert.equal(await command.ended, 2);
    clone.exec(
      "env",
      "npm_config_route=true",
      "sh",
      "-c",
      "! npm run --silent new a 'POST /x' 2>said",
    );
    const said = readFileSync(join(clone.folder, "said"), "utf8");
    rmSync(join(clone.folder, "said"));
    assert.match(said, /npm took --route as its own.*\n {2}npm run new -- /);
    assert.equal(status(), "");
  });

  test("refuses to write beside a declaration that is broken, as every other command does", async () => {
    const folder = join(clone.folder, "functions/broken");
    mkdirSync(folder);
    writeFileSync(join(folder, "index.ts"), `import "node:fs";\nimport "./gone.ts";\n`);
    for (const command of [clone.run("new", "a"), clone.run("generate"), clone.run("start")]) {
      assert.equal(await command.ended, 2, command.printed());
      assert.match(command.printed(), /^functions\/broken\/index\.ts:2: Cannot find module/m);
    }
    rmSync(folder, { recursive: true });
    assert.equal(status(), "");
  });
});
