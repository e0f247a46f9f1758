import assert from "node:assert/strict";
import { test } from "node:test";
import { messageToRequest } from "./event-request.ts";
import { cases, fresh, now, queue } from "./event-request-cases.ts";

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
