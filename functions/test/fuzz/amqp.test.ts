/** Messages in the queue, through the bridge, to the subscriber: each is stored, or dead-lettered with a reason. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { startEventGraph } from "../support/event-graph.ts";
import { anyMessage, withOwnId } from "../support/fuzz/amqp-inputs.ts";
import { assertNoInternals } from "../support/fuzz/answers.ts";
import { runsOf, seed } from "../support/fuzz/fuzz.ts";

/** In the queue at a time: right ones among them, that none may hold up. */
const batch = 25;

test("a message is stored or dead-lettered, whatever it is, and holds up no other", async (context) => {
  const graph = await startEventGraph();
  const inputs = fc.sample(anyMessage, { seed, numRuns: runsOf("amqp") });
  let stored = 0;
  for (let i = 0; i < inputs.length; i += batch) {
    const id = randomUUID();
    const headers = { specversion: "1.0", id, source: "/fuzz", type: "t" };
    const right = { body: Buffer.from("{}"), properties: { headers, contentType: "text/plain" } };
    const sent = inputs.slice(i, i + batch).map((message) => withOwnId(message, randomUUID()));
    // Counted: fewer would be a loss, and `until` would wait in vain.
    stored += (await graph.sendMessages([...sent, right])) - 1;
    assert.equal((await graph.stored("/fuzz", id)).type, "t");
  }
  for (const refusal of graph.refusals) {
    assert.match(refusal, /\w{3}/);
    // By the broker itself, after its limit of deliveries.
    assert.notEqual(refusal, "undefined");
    assertNoInternals(refusal);
  }
  const refused = graph.refusals.length;
  assert.equal(stored + refused, inputs.length);
  assert.ok(Math.min(stored, refused) > inputs.length / 20, `${stored} stored, ${refused} refused`);
  const shown = inputs.map((input) => inspect(input, { depth: 9, maxStringLength: null }));
  const distinct = new Set(shown).size;
  context.diagnostic(
    `fuzz: ${distinct} distinct inputs to amqp, seed ${seed}; ${stored} stored, ${refused} dead-lettered`,
  );
  assert.ok(distinct >= inputs.length * 0.9);
});
