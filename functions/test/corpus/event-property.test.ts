/**
 * Whatever is answered with success is stored as it was sent: random valid CloudEvents in both modes, by HTTP, by
 * the gateway and by the queue, read back from service-f's messages. Another seed: FUZZ_SEED=1 npm test -- FILE.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { encodeAttribute } from "#host/base/attributes";
import type { EventJson } from "#host/events/event-rules";
import { anyEvent } from "../support/any-event.ts";
import { startEventGraph, type Way } from "../support/event-graph.ts";

const graph = await startEventGraph();
const seed = Number(process.env.FUZZ_SEED ?? 20_261_126);
const structured = { "content-type": "application/cloudevents+json" };

/** The event as a request in binary mode. */
function binary({ data, data_base64: base64, datacontenttype: type, ...attributes }: EventJson) {
  const headers = Object.entries(attributes).map(([name, value]) => [
    `ce-${name}`,
    encodeAttribute(String(value)),
  ]);
  const isText = typeof data === "string" && /^text\/(plain|html)/.test(type ?? "");
  const body =
    data === undefined
      ? Buffer.from(base64 ?? "", "base64")
      : Buffer.from(isText ? data : JSON.stringify(data));
  return {
    headers: Object.fromEntries([...headers, ...(type ? [["content-type", type]] : [])]),
    body,
  };
}

/** Headers have no types: all attributes are text (HTTP binding, 3.1.3.1). */
function asText({ data, data_base64, ...attributes }: EventJson): object {
  const texts = Object.entries(attributes).map(([name, value]) => [name, String(value)]);
  return {
    ...Object.fromEntries(texts),
    ...(data !== undefined && { data }),
    ...(data_base64 !== undefined && { data_base64 }),
  };
}

/** Knative's source spells a time in UTC, without zeros at the fraction's end, and puts one where none was sent. */
function asQueued(event: EventJson, sent: EventJson): object {
  const { time, ...rest } = event;
  if (sent.time === undefined) return asText(rest as EventJson);
  const [, fraction = ""] = /\.(\d+)/.exec(time ?? "") ?? [];
  return asText({
    ...rest,
    time: `${Date.parse(time ?? "")} ${fraction.replace(/0+$/, "")}`,
  } as EventJson);
}

const check = (runs: number, send: (event: EventJson) => Promise<void>) =>
  fc.assert(
    fc.asyncProperty(anyEvent, async (event) =>
      send({ ...event, id: `${event.id}${randomUUID()}` }),
    ),
    { seed, numRuns: runs },
  );

async function sendAs(way: Way, mode: "binary" | "structured", event: EventJson): Promise<void> {
  const { headers, body } =
    mode === "binary"
      ? binary(event)
      : { headers: structured, body: Buffer.from(JSON.stringify(event)) };
  const { refusal } = await graph.send(way, headers, body);
  assert.equal(refusal, undefined);
}

for (const [way, runs] of [
  ["HTTP", 200],
  ["the gateway", 60],
] as const) {
  test(`a structured event by ${way} is stored as it was sent`, () =>
    check(runs, async (event) => {
      await sendAs(way, "structured", event);
      assert.deepEqual(await graph.stored(event.source, event.id), event);
    }));
  test(`a binary event by ${way} is stored as it was sent, its attributes as text`, () =>
    check(runs, async (event) => {
      await sendAs(way, "binary", event);
      assert.deepEqual(await graph.stored(event.source, event.id), asText(event));
    }));
}

test("an event that a function publishes is stored as it was published", () =>
  check(150, async (event) => {
    await graph.publish(event);
    const stored = await graph.stored(event.source, event.id);
    assert.deepEqual(asQueued(stored, event), asQueued(event, event));
  }));

test("a structured event in the queue, of attributes that its source hands on as they are, is stored", () =>
  check(60, async ({ data, data_base64, ...attributes }) => {
    // The source sends values as they are, where HTTP's binding asks for escapes, and takes no JSON by suffix:
    // what it breaks or refuses is left out.
    if (attributes.datacontenttype?.endsWith("+json")) attributes.datacontenttype = "text/json";
    const texts = Object.entries(attributes).map(([name, value]) => [
      name,
      typeof value === "string" ? value.replace(/[%"]/g, "").trim() || "x" : value,
    ]);
    const event = {
      ...Object.fromEntries(texts),
      ...(data !== undefined && { data }),
      ...(data_base64 !== undefined && { data_base64 }),
    } as EventJson;
    await sendAs("the queue", "structured", event);
    const stored = await graph.stored(event.source, event.id);
    assert.deepEqual(asQueued(stored, event), asQueued(event, event));
  }));
