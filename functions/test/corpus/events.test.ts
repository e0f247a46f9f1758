import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { EventJson } from "#host/events/event-rules";
import { startEventGraph, type Way } from "../support/event-graph.ts";
import { eventRows, required } from "./event-rows.ts";
import { structuredRows, structuredType } from "./structured-rows.ts";

const graph = await startEventGraph();
const ways: readonly Way[] = ["HTTP", "the gateway", "the queue"];

for (const way of ways) {
  for (const row of eventRows.filter((one) => (one.ways ?? ways).includes(way))) {
    const { what, headers, body, stored, refused, because = /./ } = row;
    test(`a binary event with ${what}, by ${way}, is ${stored ? "stored" : "refused"}`, async () => {
      const id = randomUUID();
      const outcome = await graph.send(way, { ...required(id), ...headers }, body);
      if (!stored) {
        assert.match(outcome.refusal ?? "it was stored", because);
        if (way !== "the queue") assert.equal(outcome.status, refused);
        return;
      }
      assert.equal(outcome.refusal, undefined);
      const event = await graph.stored("/corpus", id);
      const { specversion: _, id: __, source: ___, type: ____, ...rest } = event;
      // By the queue the time is spelt as Go does, and is there without being sent.
      if (way === "the queue" && stored.time === undefined) delete rest.time;
      const { datacontenttype: type = "", ...content } = rest;
      assert.deepEqual(content, stored);
      assert.equal(type, headers["content-type"] ?? "");
    });
  }
  for (const { what, event, stored, because = /./, ways: only } of structuredRows) {
    if (only && !only.includes(way)) continue;
    test(`a structured event with ${what}, by ${way}, is ${stored ? "stored" : "refused"}`, async () => {
      const id = randomUUID();
      const own = { specversion: "1.0", id, source: "/corpus", type: "t" };
      const sent: Partial<EventJson> = { ...own, ...event };
      const body = Buffer.from(JSON.stringify(sent));
      const outcome = await graph.send(way, { "content-type": structuredType }, body);
      if (!stored) {
        assert.match(outcome.refusal ?? "it was stored", because);
        if (way !== "the queue") assert.equal(outcome.status, 400);
        return;
      }
      assert.equal(outcome.refusal, undefined);
      const found = await graph.stored("/corpus", id);
      if (way === "the queue") {
        assert.deepEqual([found.data, found.data_base64], [sent.data, sent.data_base64]);
      } else assert.deepEqual(found, JSON.parse(body.toString()));
    });
  }
}

test("events in batches and in formats that are not taken are refused with what is", async () => {
  for (const type of ["application/cloudevents-batch+json", "application/cloudevents+avro"]) {
    const outcome = await graph.send("HTTP", { "content-type": type }, Buffer.from("[]"));
    assert.equal(outcome.status, 400, type);
    assert.match(outcome.refusal ?? "", /is not taken, send/);
  }
});
