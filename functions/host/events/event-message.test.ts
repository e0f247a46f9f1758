import assert from "node:assert/strict";
import { test } from "node:test";
import { CloudEvent } from "cloudevents";
import { eventToMessage } from "#host/events/event-message";
import type { EventJson } from "#host/events/event-rules";
import { messageToRequest } from "../../bridge/event-request.ts";

const queue = "q";
const event = new CloudEvent({
  id: "1",
  source: "/service-d",
  type: "t",
  time: "2026-01-01T00:00:00.500Z",
  datacontenttype: "application/json",
  data: { a: "é" },
  traceparent: "00-own",
  count: 5,
});

test("an event's message has only strings in its headers, and its content type among them", () => {
  const { headers, properties, content } = eventToMessage(event.toJSON() as EventJson);
  assert.deepEqual(headers, {
    "ce-id": "1",
    "ce-source": "/service-d",
    "ce-type": "t",
    "ce-time": "2026-01-01T00:00:00.500Z",
    "ce-specversion": "1.0",
    "ce-traceparent": "00-own",
    "ce-count": "5",
    "content-type": "application/json",
  });
  const seconds = Math.floor(Date.parse("2026-01-01T00:00:00Z") / 1_000);
  const { contentType, messageId, timestamp, type } = properties;
  assert.deepEqual(
    [contentType, messageId, timestamp, type],
    ["application/json", "1", seconds, "t"],
  );
  assert.deepEqual(JSON.parse(content.toString()), { a: "é" });
});

test("an event comes out of its message as it was", () => {
  const { headers, properties, content } = eventToMessage(event.toJSON() as EventJson);
  const request = messageToRequest({ content, properties: { ...properties, headers } }, queue);
  assert.deepEqual(request, {
    headers: { ...headers, "ce-time": "2026-01-01T00:00:00.5Z" },
    body: content,
  });
});

test("an event without data is a message without content", () => {
  const { content } = eventToMessage(
    new CloudEvent({ source: "/s", type: "t" }).toJSON() as EventJson,
  );
  assert.equal(content.length, 0);
});
