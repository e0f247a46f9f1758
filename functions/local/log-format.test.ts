import assert from "node:assert/strict";
import { test } from "node:test";
import { prettyFactory } from "pino-pretty";
import { createLogFormat } from "./log-format.ts";

const access = {
  level: 30,
  time: 0,
  service: "service-c",
  requestId: "r1",
  trace_id: "0af7651916cd43dd8448eb211c80319c",
  span_id: "b7ad6b7169203331",
  route: "/api/greeting",
  protocol: "http",
  status: 200,
  durationMs: 12.5,
  bytes: 300,
  coldStart: true,
  msg: "GET /api/greeting 200 in 12.5 ms",
};
const line = JSON.stringify(access);

test("an access line is one readable line, with the trace's id to look it up", () => {
  const shown = createLogFormat({ json: false, color: false })(line);
  assert.match(
    shown,
    /^\[[\d:.]+\] INFO: service-c GET \/api\/greeting 200 in 12\.5 ms \{"trace_id":"0af7651916cd43dd8448eb211c80319c"\}\n$/,
  );
});

for (const color of [false, true]) {
  test(`every line looks as pino-pretty makes it, ${color ? "with" : "without"} colors`, () => {
    const ours = createLogFormat({ json: false, color });
    const theirs = prettyFactory({
      colorize: color,
      translateTime: "SYS:HH:MM:ss.l",
      ignore: `${Object.keys(access).filter((key) => !/^(level|time|msg|trace_id)$/.test(key))},pid,hostname`,
      messageFormat: "{service} {msg}",
      singleLine: true,
    });
    const err = { type: "HostError", message: "boom", stack: "HostError: boom\n    at x (y:1:2)" };
    for (const one of [
      access,
      ...[10, 20, 30, 40, 50, 60, 35].map((level) => ({ ...access, level })),
      { ...access, time: 1_700_000_000_123, pid: 1, hostname: "here" },
      { ...access, msg: "two\nlines of größe", list: [1, "a\nb"], inner: { a: null } },
      { ...access, err },
      { ...access, error: err },
      { ...access, type: "Error", stack: err.stack },
      { level: 30, time: 0, msg: "no service" },
      { level: 30, time: 0, service: "service-a" },
      { level: 30, service: "service-a", msg: "no time" },
    ]) {
      const text = JSON.stringify(one);
      assert.equal(ours(text), theirs(text), text);
    }
    for (const text of ["no JSON", '{"level":30', "null", "12", '"text"', "[]"]) {
      assert.equal(ours(text), theirs(text), text);
    }
  });
}

test("as JSON it is left as it is", () => {
  assert.equal(createLogFormat({ json: true, color: false })(line), `${line}\n`);
});
