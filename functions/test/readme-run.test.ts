/** What the READMEs show is done as a person does it: their files are written, their commands typed. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { functionNames } from "../local/discover.ts";
import { toolEnv } from "../local/tool-env.ts";
import {
  type Clone,
  type Command,
  freeRange,
  makePlatformClone,
  startReady,
} from "./support/clone.ts";
import { eventually } from "./support/graph.ts";
import {
  commandsIn,
  filesIn,
  patternOf,
  readReadme,
  type ShownCommand,
  tableOf,
} from "./support/readmes.ts";
import { useEmptied } from "./support/services.ts";

const top = readReadme("README.md");
const functions = readReadme("functions/README.md");
const shownFiles = [top, functions].flatMap(filesIn);

/** The commands that are shown after a heading, in either README. */
const shown = [top, functions].flatMap(commandsIn);
const find = (...words: string[]) => {
  const found = shown.find(({ command }) => words.every((word) => command.includes(word)));
  assert.ok(found, words.join(" "));
  return found;
};

describe("what the READMEs show", () => {
  let clone: Clone;
  /** Files that are shown and that the platform does not have. */
  let added: typeof shownFiles;
  let port: number;
  let start: Command | undefined;

  /** Types the command in the clone until its output looks as it is shown. */
  const type = async (wanted: ShownCommand) => {
    const command = wanted.command.replaceAll("localhost:8080", `localhost:${port}`);
    const pattern = patternOf(wanted);
    const output = await eventually(
      () => outputOf(command, clone.folder),
      (seen) => pattern.test(seen),
      15_000,
    );
    return output;
  };
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(clone.folder, path)), { recursive: true });
    writeFileSync(join(clone.folder, path), text);
  };

  before(async () => {
    clone = await makePlatformClone(await useEmptied("orders"));
    added = shownFiles.filter(({ path }) => !existsSync(join(clone.folder, path)));
    port = await freeRange(functionNames().length + 5);
  });
  after(async () => {
    if (start?.child.exitCode === null) start.signal("SIGINT");
    await start?.ended;
    await clone?.[Symbol.asyncDispose]();
  });

  test("npm run new prints what is shown", async () => {
    const { command, output } = find("npm run new");
    const printed = await outputOf(command, clone.folder);
    assert.match(printed, patternOf({ command, output }));
  });

  test("its functions have the right types and format, and their .proto file passes the lint", async () => {
    for (const { path, text } of added) write(path, text);
    const names = ["orders", "payments", "shop", "hello"].map(
      (name) => `functions/${name}/index.ts`,
    );
    assert.deepEqual(
      added.map(({ path }) => path).sort(),
      [...names, "proto/payments.proto"].sort(),
    );
    const generated = clone.run("generate");
    assert.equal(await generated.ended, 0, generated.printed());
    clone.exec("tsc", "--project", ".");
    // With what follows from them.
    const all = [...names, "functions/gateway", "functions/ui", "functions/bridge"];
    clone.exec("biome", "ci", "--vcs-enabled=false", ...all);
    clone.exec("buf", "lint", "proto");
  });

  test("npm run generate lists what is wrong with declarations", async () => {
    for (const { path, text } of shownFiles) {
      const broken = text
        .replace('[grpc("service-g")]', '[grpc("service-x")]')
        .replace('"POST /api/orders": {', '"POST api/orders": {')
        .replace('from: "orders"', 'from: "order"');
      if (broken !== text) write(path, broken);
    }
    try {
      await type(find("npm run -s generate"));
    } finally {
      for (const { path, text } of shownFiles) write(path, text);
    }
  });

  test("the graph starts with them, and answers as shown", async () => {
    start = await startReady(clone, port);
    await type(find("curl", "/api/greeting"));
    await type(find("service-f/messages"));
    for (const words of [["x-fault: service-g"], ["x-fault: service-c"], ["--times 6"]]) {
      await type(find(...words));
    }
    for (const words of [
      ["curl", "orders/orders"],
      ["invoke", "orders"],
    ]) {
      await type(find(...words));
    }
  });

  test("a function that is stopped is named by its callers", async () => {
    const stopped = shown.find(({ output }) => output.includes("ECONNREFUSED"));
    assert.ok(stopped);
    const control = (what: "stop" | "start") =>
      fetch(`${addressOf("ui")}/api/functions/service-g/${what}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      });
    assert.equal((await control("stop")).status, 202);
    await type(stopped);
    assert.equal((await control("start")).status, 202);
    await type(find("curl", "/api/greeting"));
  });

  test("an order reaches its payment through the queue, by HTTP and by gRPC", async () => {
    const gateway = `http://127.0.0.1:${port}/api/services`;
    const bought = await fetch(`${gateway}/shop/baskets/tea`, { method: "POST" });
    assert.equal(bought.status, 201);
    const { id } = (await bought.json()) as { id: string };
    const asked = async (name: string) => {
      const answer = await fetch(`${gateway}/${name}/payments/${id}`);
      return { status: answer.status, body: await answer.json() };
    };
    await eventually(
      () => asked("shop"),
      ({ status }) => status === 200,
    );
    assert.deepEqual((await asked("shop")).body, { amount: 250 });
    assert.deepEqual((await asked("payments")).body, { id, amount: 250 });
    const hello = await fetch(`${addressOf("hello")}/?name=Ada`);
    assert.equal(await hello.text(), "Hello, Ada!");
  });

  test("the table of metrics has all that the functions expose, and no other", async () => {
    const seen = new Set<string>();
    for (const name of ["gateway", "service-a", "service-b", "service-d", "service-f", "bridge"]) {
      const text = await (await fetch(`${addressOf(name)}/metrics`)).text();
      for (const [, metric = ""] of text.matchAll(/^# TYPE (\S+)/gm)) seen.add(metric);
    }
    const listed = tableOf(functions, "metric | what").flatMap((row) =>
      [...row.matchAll(/`([a-z\d]+_[a-z\d_*]+)`/g)].map(([, name = ""]) => name),
    );
    const patterns = listed.map((name) => new RegExp(`^${name.replaceAll("*", "\\w+")}$`));
    const unlisted = [...seen].filter((name) => !patterns.some((one) => one.test(name)));
    const unseen = listed.filter((_, i) => ![...seen].some((name) => patterns[i]?.test(name)));
    assert.deepEqual(
      { unlisted, unseen },
      { unlisted: [], unseen: ["fault_action", "faas_invoked_name"] },
    );
  });

  function addressOf(name: string): string {
    const line = new RegExp(`^ {2}${name} +(http://localhost:\\d+)`, "m").exec(
      start?.printed() ?? "",
    );
    assert.ok(line, name);
    return `${line[1]}`.replace("localhost", "127.0.0.1");
  }
});

/** What a shell prints on both outputs, whatever the exit code. */
function outputOf(command: string, cwd: string): Promise<string> {
  return new Promise((resolve) => {
    const line = ["-c", `exec 2>&1; ${command}`];
    execFile("bash", line, { cwd, env: toolEnv }, (_, stdout) => resolve(stdout));
  });
}
