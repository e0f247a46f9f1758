import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeSpans, type SentSpan } from "../test/support/otlp.ts";
import { decodeSpan, decodeSpans } from "./otlp.ts";
import { createGlancer } from "./otlp-glance.ts";

const sent: SentSpan[] = ["server", "client", "producer", "consumer", "internal"].map(
  (kind, i) => ({
    traceId: `0af7651916cd43dd8448eb211c80319${i}`,
    spanId: `b7ad6b716920333${i}`,
    service: `service-${i}`,
    kind: kind as SentSpan["kind"],
    name: `naïve ${kind}`,
    ms: 12.5 * i,
    ...(i % 2 === 1 && { error: "away", events: { "fault.injected": 1_700_000_000_000 } }),
    attributes: {
      "server.service.name": `größe-${i}`,
      "server.port": 8_080,
      other: "x".repeat(300),
    },
  }),
);
const body = encodeSpans(sent);
const glance = createGlancer(["server.service.name", "server.port"]);

test("a glance says what decoding says, and the whole span is decoded from where it lies", () => {
  const whole = decodeSpans(body);
  assert.deepEqual(
    glance(body).map(({ body, from, to, service }) => decodeSpan(body.subarray(from, to), service)),
    whole,
  );
  for (const [i, seen] of glance(body).entries()) {
    const { traceId, service, kind, startMs, durationMs, error, attributes } = whole[i] ?? {};
    assert.deepEqual([seen.traceId, seen.service, seen.kind], [traceId, service, kind]);
    assert.equal(seen.durationMs, durationMs);
    assert.ok(Math.abs(seen.startMs - (startMs ?? 0)) < 0.001);
    assert.equal(seen.failed, error !== null);
    const name = "server.service.name";
    assert.deepEqual(seen.attributes, { [name]: attributes?.[name], "server.port": "8080" });
  }
});

test("a body that is cut within a span is refused", () => {
  const [last] = glance(body).slice(-1);
  const from = (last?.from ?? 0) - 2;
  for (let end = from; end < body.length; end++) {
    assert.throws(() => glance(body.subarray(0, end)), /goes beyond its message/, `cut at ${end}`);
  }
});

test("a number that never ends and an unknown wire type are refused", () => {
  assert.throws(() => glance(new Uint8Array(20).fill(0xff)), /longer than 64 bits/);
  assert.throws(() => glance(Uint8Array.of(0x0b, 0)), /no wire type 3/);
});
