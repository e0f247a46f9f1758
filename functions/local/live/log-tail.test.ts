import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger } from "#host/telemetry/logger";
import { createLogTail } from "./log-tail.ts";

/** As the functions' own logger writes it. */
function lineOf(service: string, msg: string): string {
  const lines: string[] = [];
  const destination = { write: (text: string) => void lines.push(text.trimEnd()) };
  createLogger({ service, level: "info", destination }).info({ requestId: "r1" }, msg);
  return lines.join("\n");
}

test("the last 200 lines of each function are kept, and no other's", () => {
  const tail = createLogTail(["service-a", "service-b"]);
  for (let i = 0; i < 250; i++) tail.add(lineOf("service-a", `line ${i}`));
  tail.add(lineOf("service-b", "hello"));
  tail.add(lineOf("service-x", "hello"));
  tail.add("no JSON");
  const messages = tail.last("service-a").map((line) => JSON.parse(line).msg);
  assert.deepEqual([messages.length, messages[0], messages.at(-1)], [200, "line 50", "line 249"]);
  assert.equal(tail.last("service-b").length, 1);
  assert.deepEqual(tail.last("service-x"), []);
});

test("who follows hears the lines of that function, until he does not any more", () => {
  const tail = createLogTail(["service-a", "service-b"]);
  const heard: string[] = [];
  const unfollow = tail.follow("service-a", (line) => heard.push(JSON.parse(line).msg));
  tail.add(lineOf("service-a", "one"));
  tail.add(lineOf("service-b", "two"));
  unfollow();
  tail.add(lineOf("service-a", "three"));
  assert.deepEqual(heard, ["one"]);
});

test("a line that is a novel is not kept", () => {
  const tail = createLogTail(["service-a"]);
  tail.add(lineOf("service-a", "x".repeat(40_000)));
  assert.deepEqual(tail.last("service-a"), []);
});
