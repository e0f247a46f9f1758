import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogFormat } from "./log-format.ts";

const line = JSON.stringify({
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
});

test("an access line is one readable line, with the trace's id to look it up", () => {
  const shown = createLogFormat({ json: false, color: false })(line);
  assert.match(
    shown,
    /^\[[\d:.]+\] INFO: service-c GET \/api\/greeting 200 in 12\.5 ms \{"trace_id":"0af7651916cd43dd8448eb211c80319c"\}\n$/,
  );
});

test("as JSON it is left as it is", () => {
  assert.equal(createLogFormat({ json: true, color: false })(line), `${line}\n`);
});
