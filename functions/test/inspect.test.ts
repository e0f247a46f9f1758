/** A debugger on the local run: of a function from its sources, and of one from the bundle of a debug image. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { parse } from "yaml";
import { bundle } from "../bundle.ts";
import { functionsDir } from "../local/discover.ts";
import { firstInspectPort } from "../local/inspect.ts";
import { startTestGraph, type TestGraph } from "./support/graph.ts";
import { attachDebugger, type Place } from "./support/inspector.ts";

/** Where a greeter's own work begins. */
const place = placeOf("host/kinds/greeter.ts", "const own = createGreeting(");

/** Longer than a request's deadline, the idle time of connections, and two heartbeats of RabbitMQ's each way. */
const pauseMs = 16_000;

describe("a breakpoint", () => {
  let folder: string;
  let system: TestGraph;
  const attach = (name: string) =>
    attachDebugger(system.graph.function(name).inspectPort ?? assert.fail(`${name}: no inspector`));

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "inspect-"));
    await bundle("service-c", folder, [], { debug: true });
    const main = join(folder, "main.js");
    system = await startTestGraph(
      {},
      {
        inspect: ["service-c", "service-d"],
        entryOf: (name) => (name === "service-c" ? main : undefined),
      },
    );
  });
  after(async () => {
    await system?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test("holds in a .ts file, from sources and in a bundle, and the request is answered after the pause", async () => {
    await using c = await attach("service-c");
    await using d = await attach("service-d");
    const both = [place, place];
    assert.deepEqual(await Promise.all([c.breakAt(place), d.breakAt(place)]), both);
    const pids = ["service-c", "service-d"].map((name) => system.graph.function(name).pid);

    const answer = system.ask();
    assert.deepEqual(await Promise.all([c.paused(), d.paused()]), both);
    await wait(pauseMs);
    await Promise.all([c.resume(), d.resume()]);

    const { status, body } = await answer;
    assert.equal(status, 200, `${body.detail}\n${system.said.join("\n")}`);
    assert.equal(body.greeting?.length, 7);
    assert.deepEqual(
      ["service-c", "service-d"].map((name) => system.graph.function(name).pid),
      pids,
    );
  });

  test("does not keep a function from being stopped, and the next start has the same port", async () => {
    const c = system.graph.function("service-c");
    const port = c.inspectPort;
    {
      await using attached = await attach("service-c");
      await attached.breakAt(place);
      const answer = system.ask("service-c").catch(() => "cut");
      assert.deepEqual(await attached.paused(), place);
      await c.stop();
      assert.ok(c.stopped);
      assert.equal(await answer, "cut");
    }
    await c.start();
    assert.equal(c.inspectPort, port);
    await using again = await attach("service-c");
    assert.deepEqual(await again.breakAt(place), place);
    // Attached and not paused: it ends in order, and does not wait for the debugger.
    await c.stop();
    assert.ok(c.stopped);
    await c.start();
  });
});

test("VS Code attaches where the local run listens, and finds an image's files in the clone", () => {
  const [local, cluster] = JSON.parse(text("../.vscode/launch.json")).configurations;
  for (const one of [local, cluster]) {
    assert.equal(one?.port, firstInspectPort);
    assert.equal(one?.restart, true);
  }
  const [, workdir] = /^WORKDIR (\/app)$/m.exec(text("Dockerfile")) ?? [];
  assert.equal(cluster?.remoteRoot, workdir);
});

test("skaffold's profile debug makes every image for a debugger, and no other image is", () => {
  const { build, profiles } = parse(text("../skaffold.yaml"));
  const debug = profiles.find(({ name }: { name: string }) => name === "debug");
  const expected = structuredClone(build.artifacts) as Artifact[];
  for (const { docker } of expected) docker.buildArgs.BUNDLE_OPTIONS = "--debug";
  assert.deepEqual(debug.build.artifacts, expected);
  const others = { build, profiles: profiles.filter((one: object) => one !== debug) };
  assert.doesNotMatch(JSON.stringify(others), /BUNDLE_OPTIONS/);
  assert.match(text("Dockerfile"), /^ARG BUNDLE_OPTIONS=""$/m);
});

interface Artifact {
  docker: { buildArgs: Record<string, string> };
}

function text(path: string): string {
  return readFileSync(join(functionsDir, path), "utf8");
}

function placeOf(path: string, start: string): Place {
  const line = text(path)
    .split("\n")
    .findIndex((one) => one.trim().startsWith(start));
  assert.ok(line >= 0, start);
  return { file: `functions/${path}`, line: line + 1 };
}
