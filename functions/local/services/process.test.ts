import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { stopLeftovers } from "./down.ts";
import { type Command, run, spawnServer, stopGroup, tailOf, waitForAnswer } from "./process.ts";
import { groupMembers, identify, isAlive, type ProcessIdentity } from "./process-table.ts";
import { readRecord, record } from "./record.ts";
import { ServiceError } from "./service.ts";
import { allGone, testOptions } from "./testing.ts";

const limits = { timeout: 30_000 };

function script(text: string): Command {
  return { file: process.execPath, args: ["--eval", text], env: process.env };
}

const forever = "setInterval(() => {}, 1_000)";
/** Has a child in its own process group, as a server has helpers. */
const withHelper = `require("node:child_process").spawn(process.execPath, ["--eval", "${forever}"]); ${forever}`;
const deafToSigterm = `process.on("SIGTERM", () => {}); console.log("deaf"); ${forever}`;

async function untilGroupHas(leader: ProcessIdentity, count: number) {
  const probe = async () => (groupMembers(leader.pid).length >= count ? "yes" : undefined);
  await waitForAnswer({ leader, logFile: "" }, probe, { timeoutMs: 10_000 });
  return groupMembers(leader.pid);
}

test("a stop ends a server with its helpers", limits, async () => {
  await using fixture = await testOptions();
  const leader = spawnServer(script(withHelper), join(fixture.options.dataDir, "server.log"));
  const group = await untilGroupHas(leader, 2);
  assert.equal(group[0]?.pid, leader.pid);
  assert.equal(await stopGroup([leader], 300), true);
  assert.equal(group.some(isAlive), false);
});

test("a stop ends a server that does not heed SIGTERM, at the limit", limits, async () => {
  await using fixture = await testOptions();
  const logFile = join(fixture.options.dataDir, "server.log");
  const leader = spawnServer(script(deafToSigterm), logFile);
  const probe = async () => (tailOf(logFile).endsWith("deaf") ? "yes" : undefined);
  await waitForAnswer({ leader, logFile }, probe, { timeoutMs: 10_000 });
  assert.equal(await stopGroup([leader], 300), true);
  assert.equal(isAlive(leader), false);
});

test("leftovers are ended even when the first process of their group is gone", limits, async () => {
  await using fixture = await testOptions();
  const { dataDir } = fixture.options;
  const leader = spawnServer(script(withHelper), join(dataDir, "server.log"));
  const group = await untilGroupHas(leader, 2);
  process.kill(leader.pid, "SIGKILL");
  assert.equal(await allGone([leader]), true);
  record(dataDir, { name: "MongoDB", origin: "a test", url: "", groups: [group] });
  assert.equal(await stopLeftovers(fixture.options), 1);
  assert.equal(group.some(isAlive), false);
  assert.deepEqual(readRecord(dataDir), []);
});

test("a process that only has the pid of a recorded one is left alone", limits, async () => {
  await using fixture = await testOptions();
  const { dataDir } = fixture.options;
  const foreigner = spawnServer(script(forever), join(dataDir, "foreigner.log"));
  const recorded = { pid: foreigner.pid, started: `${foreigner.started}0` };
  record(dataDir, { name: "MongoDB", origin: "a test", url: "", groups: [[recorded]] });
  assert.equal(await stopLeftovers(fixture.options), 0);
  assert.equal(isAlive(foreigner), true);
  assert.deepEqual(readRecord(dataDir), []);
  await stopGroup([foreigner], 1_000);
});

test("with nothing on the record there is nothing to stop", limits, async () => {
  await using fixture = await testOptions();
  assert.equal(await stopLeftovers(fixture.options), 0);
  assert.deepEqual(fixture.lines, []);
});

test("a server that ends early is reported at once, with the end of its log", limits, async () => {
  await using fixture = await testOptions();
  const logFile = join(fixture.options.dataDir, "server.log");
  const leader = spawnServer(script(`console.log("no room"); process.exit(3)`), logFile);
  await assert.rejects(
    waitForAnswer({ leader, logFile }, async () => undefined, { timeoutMs: 20_000 }),
    (error: ServiceError) => /ended before[\s\S]*no room/.test(error.message),
  );
});

test("a child that has ended is known until it is collected, and does not live", () => {
  // Nothing is awaited in between, as on a busy machine where it ends before spawn has returned.
  const pid = spawn("/bin/sh", ["-c", ":"], { stdio: "ignore" }).pid ?? 0;
  const end = performance.now() + 10_000;
  let child = identify(pid);
  while (child !== undefined && isAlive(child) && performance.now() < end) child = identify(pid);
  assert.ok(child !== undefined);
  assert.equal(isAlive(child), false);
  assert.deepEqual(groupMembers(pid), []);
});

test("a command that takes too long is ended with all it started", limits, async () => {
  const begun = performance.now();
  const done = await run(script(withHelper), { timeoutMs: 1_500 });
  assert.equal(done.ok, false);
  assert.match(done.output, /no end after 1.5 s/);
  assert.ok(performance.now() - begun < 8_000);
});

test("an abort ends a command, and rejects with the reason given", limits, async () => {
  const abort = new AbortController();
  const running = run(script(forever), { timeoutMs: 20_000, signal: abort.signal });
  abort.abort(new Error("enough"));
  await assert.rejects(running, /enough/);
});

test("a command that is not there is an answer, and a server that is not there an error", async () => {
  const missing: Command = { file: "/nowhere/server", args: [], env: {} };
  assert.equal((await run(missing, { timeoutMs: 1_000 })).ok, false);
  await using fixture = await testOptions();
  const logFile = join(fixture.options.dataDir, "server.log");
  assert.throws(() => spawnServer(missing, logFile), ServiceError);
});
