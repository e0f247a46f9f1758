/** The files of the Dockerfile's development stage in a folder of their own, run by its command. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ask } from "../../test/support/ask.ts";
import { type Run, runNode } from "../../test/support/run-function.ts";
import { until as untilWithin } from "../../test/support/until.ts";
import { functionsDir } from "../discover.ts";
import { freePort } from "../ports.ts";

const root = join(functionsDir, "..");
const dockerfile = readFileSync(join(functionsDir, "Dockerfile"), "utf8");
const [, beforeDevelopment = "", development = ""] =
  /^FROM \S+ AS packages\n(.*)^FROM packages AS development\n(.*)^FROM packages AS build/ms.exec(
    dockerfile,
  ) ?? [];

/** Each of them is a process's start, on a machine that may be busy with other tests. */
const until = (what: string, condition: () => unknown) => untilWithin(what, condition, 30_000);

const codeOf = (word: string) => `import { setTimeout } from "node:timers/promises";
import { handler } from "#host";

export default handler({
  name: "shelf",
  routes: {
    "GET /api/word": {
      async handle() {
        await setTimeout(20);
        return { body: { word: "${word}" } };
      },
    },
    "POST /api/end": {
      async handle() {
        globalThis.setTimeout(() => process.exit(3), 10);
        return { status: 204 };
      },
    },
  },
});
`;

/** A container's /app, with a function of the test's own. */
async function makeContainer() {
  const folder = await mkdtemp(join(tmpdir(), "in-place-"));
  const index = join(folder, "functions/shelf/index.ts");
  const save = (text: string) => writeFile(index, text);
  const copies = [
    ...`${beforeDevelopment}${development}`.matchAll(/^COPY (?:--chown=\S+ )?(.+) \S+$/gm),
  ];
  for (const path of copies.flatMap(([, paths = ""]) => paths.split(" "))) {
    if (path.includes("$")) continue;
    await cp(join(root, path), join(folder, path), { recursive: true });
  }
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await mkdir(dirname(index));
  await save(codeOf("one"));
  const [, entry = ""] = /^CMD \["\/app\/(.+)"\]$/m.exec(development) ?? [];
  const port = await freePort();
  const env = { FUNCTION_TARGET: "shelf", HOST: "127.0.0.1", PORT: `${port}` };
  return {
    port,
    save,
    run: () => runNode([join(folder, entry)], env),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

describe("a function that is started again in place", () => {
  let container: Awaited<ReturnType<typeof makeContainer>>;
  let run: Run;
  const word = async () => {
    const signal = AbortSignal.timeout(10_000);
    return (await ask(container.port, "/api/word", { signal })).json().word;
  };

  const answers = () => word().catch(() => undefined);

  before(async () => {
    container = await makeContainer();
    run = container.run();
    await until("it listens", () => run.stdout().includes("listening on port"));
  });
  after(async () => {
    await run?.[Symbol.asyncDispose]();
    await container?.[Symbol.asyncDispose]();
  });

  test("answers by the code that was saved, and loses no request meanwhile", async () => {
    assert.equal(await word(), "one");
    let asking = true;
    const asked = Array.from({ length: 4 }, async () => {
      const words: unknown[] = [];
      while (asking) words.push(await word().catch((error: Error) => error.message));
      return words;
    });
    try {
      await container.save(codeOf("two"));
      await until("the new code answers", async () => (await answers()) === "two");
      await until("the old process has ended", () => run.stdout().includes('"phase":"closed"'));
    } finally {
      asking = false;
    }
    const words = (await Promise.all(asked)).flat();
    assert.ok(words.includes("one") && words.at(-1) === "two");
    assert.deepEqual(
      words.filter((one) => one !== "one" && one !== "two"),
      [],
    );
    assert.match(run.stdout(), /restarted in \d+ ms: functions\/shelf\/index.ts was saved/);
  });

  test("answers by the code before a save that is broken, and says where it broke", async () => {
    await container.save(`${codeOf("three")}const const;`);
    await until("it has failed", () => run.stdout().includes("did not start (exit code 1)"));
    assert.match(run.stderr(), /functions\/shelf\/index\.ts:21/);
    assert.equal(await word(), "two");
    await container.save(codeOf("four"));
    await until("the mended code answers", async () => (await word()) === "four");
  });

  test("takes the last of two saves, though the first one never starts", async () => {
    await container.save(`${codeOf("five")}process.stdout.write("it hangs\\n"); for (;;);`);
    await until("it hangs", () => run.stdout().includes("it hangs"));
    await container.save(codeOf("six"));
    await until("the last save answers", async () => (await word()) === "six");
  });

  test("is started again when it ends by itself", async () => {
    await ask(container.port, "/api/end", { method: "POST" });
    await until("it has ended", () => run.stdout().includes("ended by itself (exit code 3)"));
    await until("it answers again", async () => (await answers()) === "six");
  });

  test("takes a save while it is down", async () => {
    await ask(container.port, "/api/end", { method: "POST" });
    await container.save(codeOf("seven"));
    await until("the mended code answers", async () => (await answers()) === "seven");
  });

  test("ends with a signal, after what is in flight is answered", async () => {
    const answer = word();
    await until(
      "it is in flight",
      async () => (await ask(container.port, "/healthz")).status === 200,
    );
    run.child.kill("SIGTERM");
    assert.equal(await answer, "seven");
    assert.equal(await run.exit, 0);
  });
});

test("a function that cannot start ends with its exit code, as in its image", async () => {
  await using container = await makeContainer();
  await container.save("process.exit(7);");
  await using run = container.run();
  assert.equal(await run.exit, 7);
});
