import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { assignInspectors, firstInspectPort, pausableEnv } from "./inspect.ts";
import { parseStartOptions, UsageError } from "./options.ts";

const own = { taken: [], anyPort: false, oneProcess: false };

describe("inspectors", () => {
  test("take the ports from 9229 up that are free and no function's", async () => {
    const holder = createServer().listen(firstInspectPort, "127.0.0.1");
    // Held by another process, it is not free either.
    await Promise.race([once(holder, "listening"), once(holder, "error")]);
    const taken = [firstInspectPort + 1];
    const ports = await assignInspectors(["service-c", "service-d"], { ...own, taken });
    holder.close();
    const [c = 0, d = 0] = [ports.get("service-c"), ports.get("service-d")];
    assert.ok(c > firstInspectPort + 1 && d > c, `${c}, ${d}`);
  });

  test("are one where all functions are in one process", async () => {
    const names = ["service-c", "service-d"];
    const ports = await assignInspectors(names, { ...own, oneProcess: true });
    assert.deepEqual([...ports.keys()], names);
    assert.equal(new Set(ports.values()).size, 1);
  });

  test("make every deadline an hour, unless there is one", () => {
    assert.deepEqual(pausableEnv({}), { DEADLINE_MS: "3600000" });
    assert.deepEqual(pausableEnv({ DEADLINE_MS: "700" }), { DEADLINE_MS: "700" });
  });
});

test("--inspect takes functions by comma or by one option each, and refuses what is none", () => {
  const args = ["--inspect", "service-c,gateway", "--inspect", "service-d"];
  assert.deepEqual(parseStartOptions(args).inspect, ["service-c", "gateway", "service-d"]);
  assert.deepEqual(parseStartOptions([]).inspect, []);
  assert.throws(
    () => parseStartOptions(["--inspect", "service-c,service-z"]),
    (error: Error) => error instanceof UsageError && /service-z: .*service-a/.test(error.message),
  );
});
