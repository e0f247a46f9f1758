import assert from "node:assert/strict";
import { test } from "node:test";
import { CloudEvent } from "cloudevents";
import type { EventJson } from "#host/events/event";
import { eventToMessage, messageToRequest } from "#host/events/event-message";
import { cases, fresh, now, queue } from "#host/events/event-message-cases";

for (const { title, message, request } of cases) {
  test(`${request ? "request" : "refused"}: ${title}`, () => {
    if (!request) {
      assert.throws(() => messageToRequest(message, queue));
      return;
    }
    const { headers, body } = messageToRequest(message, queue);
    const text = Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      Buffer.from(value, "latin1").toString(),
    ]);
    assert.deepEqual(withoutMadeUp(Object.fromEntries(text), request.headers), request.headers);
    assert.equal(body.toString(), request.body);
  });
}

/** Puts the marks in place of a time and an id that were made up, where those are expected. */
function withoutMadeUp(headers: Record<string, string>, expected: Record<string, string>) {
  const { "ce-time": time = "", "ce-id": id = "" } = headers;
  const isNow = Math.abs(Date.parse(time) - Date.now()) < 10_000;
  return {
    ...headers,
    ...(isNow && expected["ce-time"] === now && { "ce-time": now }),
    ...(/^[\da-f-]{36}$/.test(id) && expected["ce-id"] === fresh && { "ce-id": fresh }),
  };
}

test("a message that is no event and has no id gets a new one each time", () => {
  const request = () => messageToRequest({ content: Buffer.from("x"), properties: {} }, queue);
  const [one, other] = [request().headers, request().headers];
  assert.match(one["ce-id"] ?? "", /^[\da-f-]{36}$/);
  assert.equal(one["ce-subject"], one["ce-id"]);
  assert.notEqual(one["ce-id"], other["ce-id"]);
});

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
