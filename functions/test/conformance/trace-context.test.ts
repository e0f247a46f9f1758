/**
 * The cases of W3C's own test suites, by their names there (w3c/trace-context, test/test.py; w3c/baggage, 3.3.2): what a callee
 * is sent by a function that got these headers.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { greeter, http } from "#host";
import { readTrace } from "#host/telemetry/trace-context";
import { ask } from "../support/ask.ts";
import { startReceiver } from "../support/receiver.ts";
import { startTestHost } from "../support/test-host.ts";
import { startEcho, tracedTo } from "../support/traced.ts";

const closing = new AsyncDisposableStack();
after(() => closing.disposeAsync());
const receiver = closing.use(await startReceiver());
const echo = closing.use(await startEcho());
const definition = greeter({ name: "root", greeting: "hi", calls: [http("leaf")] });
const root = closing.use(
  await startTestHost(definition, { env: tracedTo(receiver), callees: { leaf: echo.address } }),
);

const traceId = "12345678901234567890123456789012";
const parent = (more = "01", version = "00") => `${version}-${traceId}-1234567890123456-${more}`;

async function sent(headers: Record<string, string | string[]>) {
  const answer = await ask(root.port, "/api/greeting", { headers });
  assert.equal(answer.status, 200, answer.text);
  return echo.seen.at(-1) ?? assert.fail("nothing was sent on");
}

for (const [name, headers] of [
  ["traceparent_included_tracestate_missing", { traceparent: parent() }],
  ["traceparent_header_name", { TraceParent: parent() }],
  ["traceparent_version_0xcc", { traceparent: parent("01", "cc") }],
  [
    "traceparent_version_0xcc, with more",
    { traceparent: parent("01-what-the-future-will-be-like", "cc") },
  ],
  ["traceparent_ows_handling", { traceparent: `\t ${parent()} \t` }],
  ["traceparent_flags that are not known", { traceparent: parent("f1") }],
] as const) {
  test(`${name}: the trace goes on, with a parent of our own`, async () => {
    const { traceparent = "" } = await sent(headers);
    assert.match(String(traceparent), new RegExp(`^00-${traceId}-[0-9a-f]{16}-0[13]$`));
    assert.notEqual(String(traceparent).slice(36, 52), "1234567890123456");
  });
}

for (const [name, traceparent] of [
  ["both_traceparent_and_tracestate_missing", undefined],
  ["traceparent_duplicated", [parent(), parent().replaceAll("1", "2")]],
  ["traceparent_version_0x00 with more", parent("01.")],
  ["traceparent_version_0x00 with more parts", parent("01-what-the-future-will-be-like")],
  ["traceparent_version_0xcc with a dot", parent("01.what-the-future-will-be-like", "cc")],
  ["traceparent_version_0xff", parent("01", "ff")],
  ["traceparent_version_illegal_characters", parent("01", ".0")],
  ["traceparent_version_too_long", parent("01", "000")],
  ["traceparent_version_too_short", parent("01", "0")],
  ["traceparent_trace_id_all_zero", parent().replace(traceId, "0".repeat(32))],
  ["traceparent_trace_id_illegal_characters", parent().replace(traceId, `.${traceId.slice(1)}`)],
  ["traceparent_trace_id in capitals", parent().replace(traceId, "A".repeat(32))],
  ["traceparent_trace_id_too_long", parent().replace(traceId, `${traceId}1`)],
  ["traceparent_trace_id_too_short", parent().replace(traceId, traceId.slice(1))],
  ["traceparent_parent_id_all_zero", `00-${traceId}-0000000000000000-01`],
  ["traceparent_parent_id_illegal_characters", `00-${traceId}-.234567890123456-01`],
  ["traceparent_parent_id_too_long", `00-${traceId}-12345678901234567-01`],
  ["traceparent_parent_id_too_short", `00-${traceId}-123456789012345-01`],
  ["traceparent_trace_flags_illegal_characters", parent(".0")],
  ["traceparent_trace_flags_too_long", parent("001")],
  ["traceparent_trace_flags_too_short", parent("1")],
  ["an empty traceparent", ""],
] as const) {
  test(`${name}: a trace begins, without the tracestate of another`, async () => {
    const got = traceparent === undefined ? {} : { traceparent, tracestate: "foo=1" };
    const out = await sent(got as Record<string, string | string[]>);
    const trace = readTrace({ traceparent: String(out.traceparent) }).parent;
    assert.ok(trace, `sent on was ${out.traceparent}`);
    assert.notEqual(trace.traceId, traceId);
    assert.equal(out.tracestate, undefined);
  });
}

const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("");
const allowed = `foo=${printable.replace(/[,=]/g, "")}`;
const longKey = `${"z".repeat(256)}=1`;
const longTenant = `${"t".repeat(241)}@${"v".repeat(14)}=1`;
const membersOf = (count: number) =>
  Array.from({ length: count }, (_, i) => `bar${i}=${i}`).join(",");

for (const [name, tracestate, expected] of [
  ["tracestate_included_traceparent_included", "foo=1,bar=2", "foo=1,bar=2"],
  ["tracestate_empty_header", "", undefined],
  ["tracestate_empty_header beside another", ["foo=1", ""], "foo=1,"],
  ["tracestate_multiple_headers_different_keys", ["foo=1", "bar=2,rojo=1"], "foo=1, bar=2,rojo=1"],
  ["tracestate_all_allowed_characters", allowed, allowed],
  ["tracestate_ows_handling", "foo=1 \t , \t bar=2", "foo=1   ,   bar=2"],
  ["tracestate_key_length_limit", longKey, longKey],
  ["tracestate_key_length_limit of a tenant", longTenant, longTenant],
  ["tracestate_member_count_limit", membersOf(32), membersOf(32)],
  [
    "members over 128 characters go first of more than 2,048",
    `${longKey},${membersOf(2)},a=${"b".repeat(200)},c=${"d".repeat(255)},e=${"f".repeat(255)},g=${"h".repeat(255)},i=${"j".repeat(255)},k=${"l".repeat(255)},m=${"n".repeat(255)},o=${"p".repeat(255)}`,
    membersOf(2),
  ],
  ["tracestate_key_illegal_characters, a blank", "foo =1", undefined],
  ["tracestate_key_illegal_characters, capitals", "FOO=1", undefined],
  ["tracestate_key_illegal_characters, a dot", "foo.bar=1", undefined],
  ["tracestate_key_illegal_vendor_format, none", "foo@=1,bar=2", undefined],
  ["tracestate_key_illegal_vendor_format, no tenant", "@foo=1,bar=2", undefined],
  ["tracestate_key_illegal_vendor_format, two", "foo@@bar=1,bar=2", undefined],
  ["tracestate_key_illegal_vendor_format, three parts", "foo@bar@baz=1,bar=2", undefined],
  ["tracestate_key_length_limit, over", `z${longKey}`, undefined],
  ["tracestate_key_length_limit, over of a tenant", `t${longTenant}`, undefined],
  ["tracestate_key_length_limit, over of a vendor", longTenant.replace("=", "v="), undefined],
  ["tracestate_member_count_limit, over", membersOf(33), undefined],
  ["tracestate_value_illegal_characters", "foo=bar=baz", undefined],
  ["tracestate_value_illegal_characters, none", "foo=,bar=3", undefined],
] as const) {
  test(`${name}: the trace goes on, the tracestate ${expected ? "with it" : "is discarded"}`, async () => {
    const out = await sent({ traceparent: parent(), tracestate: tracestate as string });
    assert.equal(String(out.traceparent).slice(3, 35), traceId);
    assert.equal(out.tracestate, expected);
  });
}

const members = (count: number) => Array.from({ length: count }, (_, i) => `k${i}=v`).join(",");
for (const [name, baggage, expected] of [
  ["one member", "userId=alice", "userId=alice"],
  ["properties and blanks", "a=1;p;q=2 , b = 2", "a=1;p;q=2 , b = 2"],
  ["percent-encoded values", "a=%20%2C%3D%25", "a=%20%2C%3D%25"],
  ["several headers", ["a=1", "b=2,c=3"], "a=1, b=2,c=3"],
  ["64 members", members(64), members(64)],
  ["180 members", members(180), members(180)],
  ["8,192 bytes", `a=${"b".repeat(8_190)}`, `a=${"b".repeat(8_190)}`],
  [
    "8,193 bytes in two members",
    `a=1,${"b".repeat(4_000)}=2,${"c".repeat(4_185)}=3`,
    `a=1,${"b".repeat(4_000)}=2`,
  ],
] as const) {
  test(`baggage of ${name} goes on whole, or in whole members (Baggage, 3.3.2)`, async () => {
    const out = await sent({ baggage: baggage as string });
    assert.equal(out.baggage, expected);
  });
}
