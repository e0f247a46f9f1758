/** Headers that travel along, all at their limits at once: by every protocol, through the queue, to the far side. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { greeter, grpc, http, publishTo } from "#host";
import { type PropagatedHeader, propagatedHeaders } from "#host/base/headers";
import type { CallProtocol } from "#host/call/callee";
import { ask } from "../support/ask.ts";
import { startEventGraph } from "../support/event-graph.ts";
import { startTestHost } from "../support/test-host.ts";

const member = (i: number) => `key${i}=${"%41".repeat(30)}`;
const members = (count: number) => Array.from({ length: count }, (_, i) => member(i)).join(",");

/** A value of the most characters for each. */
const longest: Record<PropagatedHeader, string> = {
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: Array.from({ length: 16 }, (_, i) => `k${i}=${"~".repeat(120)}`).join(","),
  baggage: `${members(84)},last=${"a".repeat(10)}`.padEnd(8_192, "x"),
  b3: "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90",
  "x-b3-traceid": "80f198ee56343ba864fe8b2a57d3eff7",
  "x-b3-spanid": "e457b5a2e4d86bd1",
  "x-b3-parentspanid": "05e3ac9a4f6e3b90",
  "x-b3-sampled": "1",
  "x-b3-flags": "0",
  "x-request-id": "%".repeat(256),
  "x-ot-span-context": "%".repeat(256),
  "x-cloud-trace-context": "%".repeat(256),
  "grpc-trace-bin": Buffer.alloc(192, 255).toString("base64"),
  "x-log-level": "debug",
  "x-fault": `${"a".repeat(24)}=503,`.repeat(34).slice(0, -1),
  "x-call-protocol": "declared",
};

const graph = await startEventGraph();
const closing = new AsyncDisposableStack();
after(() => closing.disposeAsync());

/** A graph of three, by one protocol, whose last one publishes to the queue of service-f. */
async function startChain(protocol: CallProtocol) {
  const to = (name: string) => (protocol === "grpc" ? grpc(name) : http(name));
  const env = { RABBITMQ_URL: graph.brokerUrl, FAULTS: "on", LOG_LEVEL_HEADER: "on" };
  const last = closing.use(
    await startTestHost(
      greeter({ name: "last", greeting: "c", effects: [publishTo(graph.queue)] }),
      { env },
    ),
  );
  const middle = closing.use(
    await startTestHost(greeter({ name: "middle", greeting: "b", calls: [to("last")] }), {
      env,
      callees: { last: last.address },
    }),
  );
  return closing.use(
    await startTestHost(greeter({ name: "first", greeting: "a", calls: [to("middle")] }), {
      env,
      callees: { middle: middle.address },
    }),
  );
}

test("the values here are all of the headers, each as long as it may be", () => {
  assert.deepEqual(Object.keys(longest).sort(), [...propagatedHeaders].sort());
  assert.equal(longest.baggage.length, 8_192);
});

for (const protocol of ["http", "grpc"] as const) {
  test(`all of them together pass every hop by ${protocol}, and the queue, and lose no message`, async () => {
    const first = await startChain(protocol);
    const answer = await ask(first.port, "/api/greeting", { headers: longest });
    assert.equal(answer.status, 200, answer.text);
    const { greeting: greetings } = answer.json<{ greeting: { id: string; service: string }[] }>();
    const id = greetings.find(({ service }) => service === "Last")?.id ?? "";
    const event = (await graph.stored("/last", id)) as unknown as Record<string, unknown>;
    for (const [name, value] of Object.entries(longest)) {
      assert.equal(event[name.replaceAll("-", "")], value, name);
    }
    assert.deepEqual(graph.refusals, []);
  });
}

test("an event with attributes at their limit passes the queue with all of them", async () => {
  const id = randomUUID();
  const event = { specversion: "1.0", id, source: "/s", type: "t", long: "%".repeat(5_300) };
  await graph.publish(event, longest);
  const stored = (await graph.stored("/s", id)) as unknown as Record<string, unknown>;
  assert.equal(stored.long, event.long);
  assert.equal(stored.baggage, longest.baggage);
});

for (const [what, sent, arrives] of [
  ["8,190 bytes", `a=${"x".repeat(8_188)}`, `a=${"x".repeat(8_188)}`],
  ["one member that is too long", `a=1,b=${"x".repeat(9_000)},c=3`, "a=1,c=3"],
  [
    "two members that are too long together",
    `a=${"x".repeat(5_000)},b=${"x".repeat(4_000)}`,
    `b=${"x".repeat(4_000)}`,
  ],
  ["a member that is not ASCII", "a=1,b=\xfc,c=3", "a=1,c=3"],
  ["nothing but a member that is too long", `a=${"x".repeat(9_000)}`, undefined],
  ["members of nothing but percent signs", `a=1,b=${"%".repeat(8_000)}`, "a=1"],
] as const) {
  test(`of baggage with ${what} whole members arrive, the longest dropped first`, async () => {
    const id = randomUUID();
    const headers = {
      "ce-specversion": "1.0",
      "ce-id": id,
      "ce-source": "/s",
      "ce-type": "t",
      baggage: sent,
    };
    const outcome = await graph.send("HTTP", headers, Buffer.alloc(0));
    assert.equal(outcome.status, 204, outcome.refusal);
    const first = await startChain("grpc");
    const answer = await ask(first.port, "/api/greeting", { headers: { baggage: sent } });
    assert.equal(answer.status, 200, answer.text);
    const { greeting: greetings } = answer.json<{ greeting: { id: string; service: string }[] }>();
    const last = greetings.find(({ service }) => service === "Last")?.id ?? "";
    const event = (await graph.stored("/last", last)) as unknown as Record<string, unknown>;
    assert.equal(event.baggage, arrives);
  });
}
