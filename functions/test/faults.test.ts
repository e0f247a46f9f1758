import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startMongoDb } from "../local/services/mongodb.ts";
import { startRabbitMq } from "../local/services/rabbitmq.ts";
import type { RunningService } from "../local/services/service.ts";
import {
  deadLetters,
  eventually,
  openStores,
  startTestGraph,
  type TestGraph,
} from "./support/graph.ts";
import { load } from "./support/load.ts";

/** The path of hops that the gateway names when this function is away. F is behind the queue. */
const paths = {
  "service-b": "service-a > service-b: ",
  "service-c": "service-a > service-c: ",
  "service-d": "service-a > service-b > service-d: ",
  "service-e": "service-a > service-b > service-e: ",
  "service-g": "service-a > service-b > service-e > service-g: ",
  "service-h": "service-a > service-b > service-e > service-h: ",
} as const;

describe("a graph that something happens to", () => {
  let system: TestGraph;
  let rabbit: RunningService;
  let mongo: RunningService;

  before(async () => {
    // As on Knative: the database's driver behaves differently where it finds this name.
    system = await startTestGraph({ K_SERVICE: "greetings" }, { ownServices: true });
    ({ rabbit, mongo } = system.graph);
  });
  after(async () => {
    await system?.[Symbol.asyncDispose]();
    await rabbit?.stop();
    await mongo?.stop();
  });

  const pids = () =>
    system.graph.functions.map(({ name }) => [name, system.graph.function(name).pid] as const);
  const others = (but?: string) => Object.fromEntries(pids().filter(([name]) => name !== but));
  const readiness = async (name: string) => (await system.fetch(name, "/readyz")).status;
  const isReady = (name: string, status: number) =>
    eventually(
      () => readiness(name),
      (seen) => seen === status,
    );

  for (const [name, path] of Object.entries(paths)) {
    for (const end of ["stop", "kill"] as const) {
      test(`answers 503 with the path of hops after a ${end} of ${name}, and is whole again`, async () => {
        const before = others(name);
        await system.graph.function(name)[end]();
        const { status, body } = await system.ask();
        assert.equal(status, 503);
        assert.equal(body.code, "ERR_CALLEE");
        assert.ok(body.detail?.startsWith(`${path}unreachable at 127.0.0.1:`), body.detail);
        assert.deepEqual(others(name), before, "no other function has ended");
        await system.graph.function(name).start();
        await isReady(name, 200);
        await isWhole(system);
      });
    }
  }

  test("keeps D's greetings for F while F is away", async () => {
    await system.graph.function("service-f").stop();
    const { status, body } = await system.ask();
    assert.equal(status, 200, "no request waits for F");
    await system.graph.function("service-f").start();
    await using stores = await openStores({ ...system.graph, rabbit, mongo });
    await eventually(
      () => stores.eventIds(),
      (ids) => ids.has(body.greeting?.[0]?.id ?? ""),
    );
  });

  test("answers 503 while the broker is away, and is whole again without a restart", async () => {
    const before = others();
    await rabbit.kill?.();
    await isReady("service-d", 503);
    const { status, body } = await system.ask();
    assert.equal(status, 503);
    assert.equal(body.code, "ERR_PUBLISH");
    assert.match(body.detail ?? "", /^service-a > service-b > service-d: RabbitMQ is unreachable/);
    rabbit = await startRabbitMq(system.services);
    await isWhole(system);
    assert.deepEqual(others(), before);
  });

  test("answers 503 while the database is away, and is whole again without a restart", async () => {
    const before = others();
    await mongo.kill?.();
    await isReady("service-g", 503);
    const { status, body } = await system.ask();
    assert.equal(status, 503);
    assert.equal(body.code, "ERR_STORE");
    assert.match(body.detail ?? "", /: MongoDB is unreachable/);
    await isReady("service-f", 503);
    mongo = await startMongoDb(system.services);
    // F gets no request meanwhile: on Knative an instance that is not ready gets none.
    await isReady("service-f", 200);
    await isWhole(system);
    assert.deepEqual(others(), before);
  });

  test("brings every greeting that was answered to F, though all on its way is killed under load", async () => {
    const stored = async () => {
      await using stores = await openStores({ ...system.graph, rabbit, mongo });
      return (await stores.eventIds()).size;
    };
    const running = load(() => system.ask(), { requests: 300, concurrency: 20 });
    await system.graph.function("bridge").kill();
    const before = await stored();
    await system.graph.function("bridge").start();
    await isReady("bridge", 200);
    // RabbitMQ 3.10, killed while messages wait and no consumer is there, elects no leader of the queue again: the broker has
    // to know of the bridge's, and have handed out messages.
    await eventually(stored, (count) => count > before);
    const { url } = rabbit;
    await rabbit.kill?.();
    rabbit = await startRabbitMq(system.services);
    assert.equal(rabbit.url, url, "the functions know it by this address");
    await system.graph.function("service-f").kill();
    await system.graph.function("service-f").start();
    const answers = await running;
    const promised = answers.flatMap(({ body }) => body.greeting?.[0]?.id ?? []);
    assert.ok(promised.length > 0, "some were answered");
    await using stores = await openStores({ ...system.graph, rabbit, mongo });
    await eventually(
      async () => {
        const ids = await stores.eventIds();
        return promised.filter((id) => !ids.has(id));
      },
      (missing) => missing.length === 0,
    );
    assert.equal(await stores.waiting(deadLetters), 0);
  });
});

async function isWhole(system: TestGraph): Promise<void> {
  const { status, body } = await system.ask();
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.greeting?.length, 7);
}
