import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "#host/base/config";
import { createAdmission } from "#host/call/admission";
import { createLogger, logOf } from "#host/telemetry/logger";

function linesAt(level: string, asked: string | undefined): string[] {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line).msg) };
  const log = createLogger({ service: "tested", level, destination });
  const request = logOf(log, asked === undefined ? {} : { "x-log-level": asked }, undefined);
  for (const each of ["debug", "info", "error"] as const) request[each](each);
  log.debug("another request's");
  return lines;
}

for (const [level, asked, expected] of [
  ["info", undefined, ["info", "error"]],
  ["info", "debug", ["debug", "info", "error"]],
  ["silent", "info", ["info", "error"]],
  ["info", "error", ["info", "error"]],
  ["info", "silent", ["info", "error"]],
  ["info", "nonsense", ["info", "error"]],
  ["info", "toString", ["info", "error"]],
] as const) {
  test(`at level ${level} a request that asks for ${asked} gets ${expected.join(" and ")}`, () => {
    assert.deepEqual(linesAt(level, asked), expected);
  });
}

test("what a request asks of the log is heeded and handed on only where that is allowed", () => {
  const headers = { "x-log-level": "debug", baggage: "a=1" };
  const admitted = (LOG_LEVEL_HEADER: string) => {
    const config = loadConfig({ FUNCTION_TARGET: "tested", LOG_LEVEL_HEADER });
    return createAdmission({ name: "tested", config }).headersOf(headers);
  };
  assert.deepEqual(admitted("on"), headers);
  assert.deepEqual(admitted("off"), { baggage: "a=1" });
});

test("parts that could hold a password are masked by name: in values, in errors, in a child's bindings", () => {
  const lines: string[] = [];
  const log = createLogger({
    service: "tested",
    level: "info",
    destination: { write: (line) => void lines.push(line) },
  });
  const secret = "s3cret";
  const options = { host: "a", password: secret, url: secret, uri: secret, authorization: secret };
  log.info({ options }, "in a value");
  log.info({ err: Object.assign(new Error("away"), options) }, "in an error");
  const request = logOf(log, {}, undefined);
  request.info({ options }, "in a value of a request");
  request.child({ options }).info("in bindings");
  assert.equal(lines.length, 4);
  for (const line of lines) {
    assert.ok(!line.includes(secret), line);
    assert.match(line, /"password":"\*\*\*"/);
    assert.match(line, /"host":"a"/);
  }
  assert.match(lines[1] ?? "", /"message":"away"/);
  assert.equal(options.password, secret);
});
