import assert from "node:assert/strict";
import { test } from "node:test";
import { Metadata } from "@grpc/grpc-js";
import { CloudEvent } from "cloudevents";
import { attributesFromHttp } from "#host/base/attributes";
import {
  headersFromEvent,
  headersFromHttp,
  headersFromMetadata,
  headersToEvent,
  headersToMetadata,
  propagatedHeaders,
} from "#host/base/headers";
import { eventToMessage } from "#host/events/event-message";
import type { EventJson } from "#host/events/event-rules";
import { messageToRequest } from "../../bridge/event-request.ts";

const all = {
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
  baggage: "userId=alice,serverNode=DF%2028;prop=1",
  b3: "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1",
  "x-b3-traceid": "80f198ee56343ba864fe8b2a57d3eff7",
  "x-b3-spanid": "e457b5a2e4d86bd1",
  "x-b3-parentspanid": "05e3ac9a4f6e3b90",
  "x-b3-sampled": "1",
  "x-b3-flags": "0",
  "x-request-id": "4b5e8f0a-1c2d-4e3f",
  "x-ot-span-context": "a;b;c",
  "x-cloud-trace-context": "105445aa7843bc8bf206b12000100000/1;o=1",
  "grpc-trace-bin": Buffer.from([0, 255, 128, 7, 13, 10]).toString("base64"),
  "x-log-level": "debug",
  "x-fault": "service-g=503@50%, service-c=delay:800ms; seed=42",
  "x-call-protocol": "grpc",
};

test("the list has no other headers than those tested here", () => {
  assert.deepEqual([...propagatedHeaders].sort(), Object.keys(all).sort());
});

test("all headers travel from HTTP to gRPC, to a message and back, unchanged", () => {
  const fromHttp = headersFromHttp({ ...all, cookie: "secret", authorization: "secret" });
  const metadata = new Metadata();
  headersToMetadata(fromHttp, metadata);
  assert.deepEqual(metadata.get("grpc-trace-bin"), [Buffer.from(all["grpc-trace-bin"], "base64")]);

  const fromGrpc = headersFromMetadata(metadata);
  const event = new CloudEvent({ type: "t", source: "/s", ...headersToEvent(fromGrpc) });
  const { content, headers, properties } = eventToMessage(event.toJSON() as EventJson);
  const request = messageToRequest({ content, properties: { ...properties, headers } }, "queue");
  assert.deepEqual(headersFromEvent(attributesFromHttp(request.headers)), all);
});

for (const [what, value] of [
  ["a value that is not ASCII", "naïve"],
  ["a value with a line break", "a\r\nset-cookie: b"],
  ["an over-long value", "x".repeat(8_193)],
  ["an empty value", ""],
] as const) {
  test(`${what} is dropped, and the others are kept`, () => {
    const kept = { traceparent: all.traceparent };
    assert.deepEqual(headersFromHttp({ ...kept, baggage: value }), kept);
    assert.deepEqual(headersFromEvent({ ...kept, baggage: value }), kept);
  });
}

test("the longest value that is allowed is kept", () => {
  const baggage = "x".repeat(8_192);
  assert.deepEqual(headersFromHttp({ baggage }), { baggage });
});

test("a header that is given twice is joined by a comma, over HTTP and gRPC", () => {
  assert.deepEqual(headersFromHttp({ tracestate: ["a=1", "b=2"] } as never), {
    tracestate: "a=1,b=2",
  });
  const metadata = new Metadata();
  metadata.add("tracestate", "a=1");
  metadata.add("tracestate", "b=2");
  assert.deepEqual(headersFromMetadata(metadata), { tracestate: "a=1,b=2" });
});

test("an attribute of an event that is no string is no header", () => {
  assert.deepEqual(headersFromEvent({ traceparent: 5, b3: true, baggage: undefined }), {});
});
