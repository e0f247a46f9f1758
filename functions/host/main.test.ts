/** The container entry as a process: what it prints, how it ends, and what it does not load. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Greeting } from "#proto";
import { ask } from "../test/support/ask.ts";
import { runNode } from "../test/support/run-function.ts";
import { testFunction } from "../test/support/test-function.ts";
import { startTestHost } from "../test/support/test-host.ts";
import { until } from "../test/support/until.ts";

const functions = join(import.meta.dirname, "..");
const main = join(import.meta.dirname, "main.ts");
const local = { PORT: "0", HOST: "127.0.0.1" };

function portOf(stdout: string): number | undefined {
  const port = /"port":(\d+)/.exec(stdout)?.[1];
  return port ? Number(port) : undefined;
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} ends it with exit code 0, after the request in flight is answered`, async () => {
    const entered = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const slow = testFunction({
      async greetings(): Promise<Greeting[]> {
        entered.resolve();
        await released.promise;
        return [{ id: "1", service: "Below", message: "hi", created: "" }];
      },
    });
    await using below = await startTestHost(slow);
    const callees = { SERVICE_B_ADDRESS: below.address, SERVICE_C_ADDRESS: below.address };
    await using run = runNode([main], { ...local, ...callees, FUNCTION_TARGET: "service-a" });
    await until("it listens", () => portOf(run.stdout()));
    const answer = ask(portOf(run.stdout()) ?? 0);
    await entered.promise;
    run.child.kill(signal);
    await until("it drains", () => run.stdout().includes('"phase":"draining"'));
    released.resolve();
    const { greeting } = (await answer).json<{ greeting: Greeting[] }>();
    assert.deepEqual(
      greeting.map(({ service }) => service),
      ["Below", "Below", "Service-A"],
    );
    assert.equal(await run.exit, 0);
    const phases = [...run.stdout().matchAll(/"phase":"(\w+)"/g)].map(([, phase]) => phase);
    assert.deepEqual(phases, ["ready", "draining", "closed"]);
  });
}

test("it logs one JSON object per line, and nothing else", async () => {
  await using run = runNode([main], { ...local, FUNCTION_TARGET: "service-a", LOG_LEVEL: "trace" });
  await until("it listens", () => portOf(run.stdout()));
  await ask(portOf(run.stdout()) ?? 0);
  run.child.kill("SIGTERM");
  await run.exit;
  const lines = run.stdout().trim().split("\n");
  assert.ok(lines.length >= 3);
  for (const line of lines) assert.equal(JSON.parse(line).service, "service-a");
  assert.equal(run.stderr(), "");
});

for (const [what, env, problems] of [
  ["no target", {}, ["FUNCTION_TARGET is not set"]],
  ["an unknown target", { FUNCTION_TARGET: "service-z" }, ["FUNCTION_TARGET=service-z"]],
  ["a path as target", { FUNCTION_TARGET: "../host" }, ["FUNCTION_TARGET=../host"]],
  [
    "several problems",
    {
      FUNCTION_TARGET: "service-c",
      PORT: "http",
      MONGODB_URL: "mongo://u:hunter2@h",
      DEADLINE_MS: "0",
    },
    ["PORT=http", "MONGODB_URL=mongo://u:***@h", "DEADLINE_MS=0"],
  ],
] as const) {
  test(`with ${what} it ends with exit code 2, and lists the problems`, async () => {
    await using run = runNode([main], env);
    assert.equal(await run.exit, 2);
    for (const problem of problems) assert.ok(run.stderr().includes(`- ${problem}`), run.stderr());
    assert.equal(run.stderr().match(/^- /gm)?.length, problems.length);
    assert.equal(run.stdout(), "");
  });
}

test("a port that is taken ends it with exit code 1, and names the port", async () => {
  await using taken = await startTestHost(testFunction({}));
  const env = { ...local, FUNCTION_TARGET: "service-a", PORT: String(taken.port) };
  await using run = runNode([main], env);
  assert.equal(await run.exit, 1);
  const said = `port ${taken.port} is taken by another process: set PORT to a free one\n`;
  assert.equal(run.stderr(), said);
});

test("importing every function opens nothing: the process ends by itself", async () => {
  const names = readdirSync(functions).filter((name) => /^(service-.|gateway|bridge)$/.test(name));
  assert.equal(names.length, 10);
  const imports = names.map(
    (name) => `await import(${JSON.stringify(join(functions, name, "index.ts"))});`,
  );
  const script = `${imports.join("\n")} console.log(JSON.stringify(process.getActiveResourcesInfo()));`;
  await using run = runNode(["--input-type=module", "--eval", script]);
  assert.equal(await run.exit, 0, run.stderr());
  const open = JSON.parse(run.stdout()) as string[];
  assert.deepEqual(
    open.filter((kind) => !/^(Pipe|TTY)Wrap$/.test(kind)),
    [],
  );
});

test("a driver is loaded by a function that needs it, and by no other", async () => {
  const script = (name: string) => `
    import { createRequire } from "node:module";
    import { startTestHost } from ${JSON.stringify(join(functions, "test/support/test-host.ts"))};
    const { default: definition } = await import(${JSON.stringify(join(functions, name, "index.ts"))});
    const url = "://127.0.0.1:1";
    const env = { MONGODB_URL: "mongodb" + url, RABBITMQ_URL: "amqp" + url };
    const host = await startTestHost(definition, { env });
    await host.close();
    const loaded = Object.keys(createRequire(import.meta.url).cache).join("\\n");
    console.log(["mongodb", "amqplib"].filter((name) => loaded.includes("node_modules/" + name + "/")).join());
    process.exit();`;
  for (const [name, drivers] of [
    ["service-a", ""],
    ["service-c", "mongodb"],
    ["service-d", "amqplib"],
    ["gateway", ""],
  ] as const) {
    await using run = runNode(["--input-type=module", "--eval", script(name)]);
    assert.equal(await run.exit, 0, run.stderr());
    assert.equal(run.stdout().trim(), drivers, name);
  }
});

test("nothing of OpenTelemetry's SDK is loaded unless there is a receiver for spans", async () => {
  const script = `
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    const { startTestHost } = await import(${JSON.stringify(join(functions, "test/support/test-host.ts"))});
    const { default: definition } = await import(${JSON.stringify(join(functions, "gateway/index.ts"))});
    const host = await startTestHost(definition, { env: process.env });
    await fetch("http://" + host.address + "/").then((answer) => answer.text());
    await host.close();
    const packages = loaded.flatMap((file) => /node_modules.@opentelemetry.([^/\\\\]+)/.exec(file)?.[1] ?? []);
    console.log([...new Set(packages)].sort().join());
    process.exit();`;
  // Its API, which the metrics library loads, is none of the SDK.
  const none = /^(api)?\n$/;
  const sdk = /sdk-trace/;
  const endpoint = "http://127.0.0.1:1";
  for (const [env, expected] of [
    [{}, none],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "" }, none],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SDK_DISABLED: "true" }, none],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_EXPORTER: "none" }, none],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }, sdk],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${endpoint}/v1/traces` }, sdk],
  ] as [Record<string, string>, RegExp][]) {
    await using run = runNode(["--input-type=module", "--eval", script], env);
    assert.equal(await run.exit, 0, run.stderr());
    assert.match(run.stdout(), expected, JSON.stringify(env));
  }
});
