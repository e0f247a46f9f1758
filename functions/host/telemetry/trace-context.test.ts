import assert from "node:assert/strict";
import { test } from "node:test";
import type { PropagatedHeaders } from "#host/base/headers";
import { placeInTrace, readTrace, writeTrace } from "#host/telemetry/trace-context";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const parent = { traceId, spanId };
const other = { traceId: "80f198ee56343ba864fe8b2a57d3eff7", spanId: "e457b5a2e4d86bd1" };
const multi = { "x-b3-traceid": traceId, "x-b3-spanid": spanId };

for (const [what, headers, expected] of [
  ["nothing", {}, { parent: undefined, sampled: undefined }],
  ["W3C, kept", { traceparent: `00-${traceId}-${spanId}-01` }, { parent, sampled: true }],
  ["W3C, not kept", { traceparent: `00-${traceId}-${spanId}-00` }, { parent, sampled: false }],
  [
    "W3C with flags we do not know",
    { traceparent: `00-${traceId}-${spanId}-ff` },
    { parent, sampled: true, random: true },
  ],
  [
    "a later version of W3C's",
    { traceparent: `cc-${traceId}-${spanId}-01-more` },
    { parent, sampled: true },
  ],
  ["B3, kept", { b3: `${traceId}-${spanId}-1` }, { parent, sampled: true }],
  [
    "B3 with a parent, not kept",
    { b3: `${traceId}-${spanId}-0-05e3ac9a4f6e3b90` },
    { parent, sampled: false },
  ],
  ["B3, debug", { b3: `${traceId}-${spanId}-d` }, { parent, sampled: true }],
  [
    "B3 that leaves the decision open",
    { b3: `${traceId}-${spanId}` },
    { parent, sampled: undefined },
  ],
  ["B3 in capitals", { b3: `${traceId}-${spanId}-1`.toUpperCase() }, { parent, sampled: true }],
  ["B3's decision alone, no", { b3: "0" }, { parent: undefined, sampled: false }],
  ["B3's decision alone, yes", { b3: "1" }, { parent: undefined, sampled: true }],
  [
    "B3 with a trace id of 64 bits",
    { b3: "8448eb211c80319c-b7ad6b7169203331-1" },
    { parent: { traceId: "00000000000000008448eb211c80319c", spanId }, sampled: true },
  ],
  ["B3's headers, kept", { ...multi, "x-b3-sampled": "1" }, { parent, sampled: true }],
  ["B3's headers of old clients", { ...multi, "x-b3-sampled": "true" }, { parent, sampled: true }],
  ["B3's headers, not kept", { ...multi, "x-b3-sampled": "0" }, { parent, sampled: false }],
  ["B3's headers, debug", { ...multi, "x-b3-flags": "1" }, { parent, sampled: true }],
  ["B3's headers, left open", multi, { parent, sampled: undefined }],
  ["the header x-b3-sampled alone", { "x-b3-sampled": "0" }, { parent: undefined, sampled: false }],
  [
    "W3C and B3",
    { traceparent: `00-${traceId}-${spanId}-01`, b3: `${other.traceId}-${other.spanId}-0` },
    { parent, sampled: true },
  ],
] as const) {
  test(`${what} is read`, () => {
    assert.deepEqual(readTrace(headers), expected);
  });
}

for (const traceparent of [
  "00-a-b-01",
  `ff-${traceId}-${spanId}-01`,
  `00-${traceId}-${spanId}-01-more`,
  `00-${"0".repeat(32)}-${spanId}-01`,
  `00-${traceId}-${"0".repeat(16)}-01`,
  `00-${traceId.toUpperCase()}-${spanId}-01`,
  `00-${traceId}-${spanId}`,
]) {
  test(`traceparent: ${traceparent} is no trace, and B3 is looked at`, () => {
    assert.equal(readTrace({ traceparent }).parent, undefined);
    assert.deepEqual(readTrace({ traceparent, b3: `${traceId}-${spanId}-1` }).parent, parent);
  });
}

for (const b3 of ["x", `${traceId}`, `${traceId}-${spanId}-2`, `${"0".repeat(32)}-${spanId}-1`]) {
  test(`b3: ${b3} is no trace`, () => {
    assert.equal(readTrace({ b3 }).parent, undefined);
  });
}

const span = { traceId, spanId: "1111111111111111", sampled: true };
const written = `00-${traceId}-1111111111111111-01`;

for (const [what, headers, expected] of [
  ["nothing", {}, { traceparent: written }],
  [
    "W3C",
    { traceparent: `00-${traceId}-${spanId}-01`, tracestate: "a=1", baggage: "b=2" },
    { traceparent: written, tracestate: "a=1", baggage: "b=2" },
  ],
  [
    "B3",
    { b3: `${traceId}-${spanId}-1-2222222222222222` },
    { traceparent: written, b3: `${traceId}-1111111111111111-1-${spanId}` },
  ],
  [
    "B3's headers",
    { ...multi, "x-b3-sampled": "1", "x-b3-parentspanid": "2222222222222222" },
    {
      traceparent: written,
      "x-b3-traceid": traceId,
      "x-b3-spanid": "1111111111111111",
      "x-b3-parentspanid": spanId,
      "x-b3-sampled": "1",
    },
  ],
  [
    "B3's headers with the debug flag",
    { ...multi, "x-b3-flags": "1" },
    {
      traceparent: written,
      "x-b3-traceid": traceId,
      "x-b3-spanid": "1111111111111111",
      "x-b3-parentspanid": spanId,
      "x-b3-flags": "1",
    },
  ],
] as const) {
  test(`what came in as ${what} goes out so, with the span's ids`, () => {
    assert.deepEqual(writeTrace(headers as PropagatedHeaders, span, parent), expected);
  });
}

test("a span that is not kept says so in every form", () => {
  const headers = { b3: `${traceId}-${spanId}-0`, ...multi, "x-b3-sampled": "0" };
  const out = writeTrace(headers, { ...span, sampled: false }, parent);
  assert.equal(out.traceparent, `00-${traceId}-1111111111111111-00`);
  assert.equal(out.b3, `${traceId}-1111111111111111-0-${spanId}`);
  assert.equal(out["x-b3-sampled"], "0");
});

test("a trace id that is random is said to be so on the next hop, and no other flag is", () => {
  const { parent: from, random } = readTrace({ traceparent: `00-${traceId}-${spanId}-fe` });
  const out = writeTrace({}, { ...span, sampled: false, ...(random && { random }) }, from);
  assert.equal(out.traceparent, `00-${traceId}-1111111111111111-02`);
});

test("a trace that begins here does not take over a tracestate, and names no parent", () => {
  const headers = { traceparent: "nonsense", tracestate: "a=1", b3: "1", baggage: "b=2" };
  assert.deepEqual(writeTrace(headers, span, undefined), {
    traceparent: written,
    b3: `${traceId}-1111111111111111-1`,
    baggage: "b=2",
  });
});

const hop = (context: typeof parent) => ({
  traceparent: `00-${context.traceId}-${context.spanId}-01`,
});

for (const [what, delivery, event, expected] of [
  ["no event", hop(parent), undefined, { trace: { parent, sampled: true }, links: [] }],
  ["an event without a trace", hop(parent), {}, { trace: { parent, sampled: true }, links: [] }],
  [
    "an event's trace alone",
    {},
    hop(other),
    { trace: { parent: other, sampled: true }, links: [] },
  ],
  [
    "a hop of the event's trace, which is the parent, and the event is linked",
    hop(parent),
    hop({ traceId, spanId: "2222222222222222" }),
    { trace: { parent, sampled: true }, links: [{ traceId, spanId: "2222222222222222" }] },
  ],
  [
    "a hop of another trace, which is linked, and the event is the parent",
    hop(parent),
    hop(other),
    { trace: { parent: other, sampled: true }, links: [parent] },
  ],
  [
    "a hop that hands the event's own span on",
    hop(parent),
    hop(parent),
    { trace: { parent, sampled: true }, links: [] },
  ],
] as const) {
  test(`a request is placed by ${what}`, () => {
    assert.deepEqual(placeInTrace(delivery, event), expected);
  });
}
