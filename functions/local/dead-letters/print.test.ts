import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConsumeMessage } from "amqplib";
import { readLetter } from "./letter.ts";
import { letterText, listText } from "./print.ts";

const hostile = "\u001b[2J\r\u202eevil\u0007";
const headers = { "ce-id": hostile, "ce-type": hostile, "x-dead-letter-reason": hostile };

function message(content: Buffer): ConsumeMessage {
  const properties = { headers, contentType: hostile };
  return { content, properties } as unknown as ConsumeMessage;
}

test("what a message holds cannot steer the terminal", () => {
  for (const content of [
    Buffer.from(hostile),
    Buffer.from(JSON.stringify({ [hostile]: hostile })),
  ]) {
    const whole = message(content);
    const letter = readLetter("q", whole);
    const list = { queue: "q", total: 1, letters: [letter] };
    for (const text of [listText(list), letterText({ letter, message: whole })]) {
      assert.doesNotMatch(text, /[^\P{Cc}\n]|\p{Bidi_Control}/u);
      assert.match(text, /\\u001b\[2J\\u000d\\u202eevil\\u0007/);
    }
  }
});

test("a body that is no text is shown as base64", () => {
  const whole = message(Buffer.from([0xff, 0x00]));
  const text = letterText({ letter: readLetter("q", whole), message: whole });
  assert.match(text, /\/wA=$/);
});

test("headers of any kind make a letter", () => {
  const death = [{ reason: "delivery_limit", time: { "!": "timestamp", value: 1e9 } }];
  for (const odd of [
    { "x-death": death, "ce-id": 7 },
    { "x-death": "no", "x-dead-letter-attempts": "many", "ce-id": {} },
    { "x-death": [null], "ce-traceparent": [] },
    undefined,
  ]) {
    const properties = { headers: odd };
    const letter = readLetter("q", { content: Buffer.alloc(0), properties } as never);
    assert.ok(letter.id && letter.reason);
  }
});
