import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { UsageError } from "../local/options.ts";
import { useEmptied } from "../test/support/services.ts";
import { against } from "./contender.ts";
import { startLoadGenerator } from "./load.ts";
import { measure } from "./measure.ts";
import { parseBenchOptions } from "./options.ts";
import { runMission } from "./run.ts";
import { missionLines } from "./table.ts";

const linux = process.platform === "linux";

/** How little is measured here: the shape is looked at, and no figure. */
const little = { rounds: 1, seconds: 0.3, requests: 5, concurrencies: [1, 2], report() {} };

test("a run shows figures of each contender, and every answer of them is right", {
  skip: !linux && "CPU and memory are read from /proc",
}, async () => {
  const defaults = parseBenchOptions(["--only", "plain,floor"]);
  const result = await runMission(
    { ...defaults, ...little },
    { report() {}, env: await useEmptied() },
  );
  assert.deepEqual(
    result.contenders.map(({ name }) => name),
    ["plain", "floor"],
  );
  for (const { name, memory, points } of result.contenders) {
    assert.deepEqual(Object.keys(points), ["1", "2"]);
    for (const point of Object.values(points)) {
      assert.equal(point.wrong, 0, `${name}: ${point.firstWrong}`);
      for (const figure of [point.perSecond, point.p50Ms, point.p99Ms]) {
        assert.ok(figure.median > 0, name);
      }
    }
    assert.ok((memory.idleMib["service-a"] ?? 0) > 10);
    assert.deepEqual(Object.keys(memory.loadedMib), Object.keys(memory.idleMib));
  }
  assert.match(missionLines(result).join("\n"), /^ +1 {2}floor +\d+ \(\d+-\d+\)/m);
});

test("a contender that answers wrongly is shown as wrong, and its speed is not", async () => {
  const server = createServer((_request, response) => response.end('{"greeting":[]}'));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  await using load = startLoadGenerator();
  const contenders = [against(new URL(`http://127.0.0.1:${port}`))];
  const measured = await measure({ ...little, contenders, load });
  server.close();
  const point = measured[0]?.points["1"];
  assert.ok((point?.wrong ?? 0) > 0);
  assert.match(point?.firstWrong ?? "", /not the seven greetings/);
  const shown = missionLines({ ...little, database: "null", contenders: measured, sizes: [] }).join(
    "\n",
  );
  assert.match(shown, /WRONG: \d+ answers: 200: not the seven greetings/);
  assert.doesNotMatch(shown, /requests\/s.*\n.*\d+ \(\d+-\d+\)/);
});

test("an option that cannot be is refused by name", () => {
  for (const [option, value] of [
    ["--only", "nonsense"],
    ["--seconds", "0"],
    ["--database", "x"],
    ["--against-start", "/nowhere"],
  ] as const) {
    assert.throws(
      () => parseBenchOptions([option, value]),
      (error: Error) =>
        error instanceof UsageError && error.message.startsWith(`${option} ${value}`),
    );
  }
});
