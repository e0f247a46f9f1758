import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { type Attributes, context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { ask } from "../test/support/ask.ts";
import { decodeSpans, type OtlpBody, type Span } from "./otlp.ts";
import { createOtlpReceiver } from "./otlp-receiver.ts";

const zip = promisify(gzip);

async function startReceiver(limitBytes?: number) {
  const spans: Span[] = [];
  const bodies: OtlpBody[] = [];
  const receive = createOtlpReceiver({
    take: (bytes) => void spans.push(...decodeSpans(bytes)),
    onBody: (body) => bodies.push(body),
    ...(limitBytes !== undefined && { limitBytes }),
  });
  const server = createServer((request, response) => void receive(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  return {
    spans,
    bodies,
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What OpenTelemetry's own SDK sends of one failed call and its parent. */
async function exportTwo(port: number, compression: "gzip" | "none"): Promise<void> {
  const url = `http://127.0.0.1:${port}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url, compression: compression as never });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": "service-b" }),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer("test");
  const parent = tracer.startSpan("GET /api/greeting", {
    kind: SpanKind.SERVER,
    startTime: 1_700_000_000_000.25,
    links: [{ context: { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 1 } }],
  });
  const attributes: Attributes = {
    "server.service.name": "service-d",
    "server.port": 8085,
    "http.status.share": 0.5,
    resent: false,
    list: ["one", "two"],
  };
  const child = tracer.startSpan(
    "GET",
    { kind: SpanKind.CLIENT, attributes, startTime: 1_700_000_000_001 },
    trace.setSpan(context.active(), parent),
  );
  child.addEvent("fault.injected", { "fault.rule": "x" }, 1_700_000_000_002);
  child.setStatus({ code: SpanStatusCode.ERROR, message: "service-d: away" });
  child.end(1_700_000_000_003.5);
  parent.end(1_700_000_000_004.25);
  await provider.shutdown();
}

for (const compression of ["gzip", "none"] as const) {
  test(`spans arrive as OpenTelemetry's SDK sent them, compression ${compression}`, async () => {
    await using receiver = await startReceiver();
    await exportTwo(receiver.port, compression);
    // Each is sent by itself, and may overtake the other.
    const child = receiver.spans.find(({ kind }) => kind === "client");
    const parent = receiver.spans.find(({ kind }) => kind === "server");
    assert.equal(receiver.spans.length, 2);
    assert.match(parent?.traceId ?? "", /^[0-9a-f]{32}$/);
    assert.match(parent?.spanId ?? "", /^[0-9a-f]{16}$/);
    assert.partialDeepStrictEqual(parent, {
      parentSpanId: null,
      service: "service-b",
      name: "GET /api/greeting",
      kind: "server",
      startMs: 1_700_000_000_000.25,
      durationMs: 4,
      error: null,
      links: [{ traceId: "a".repeat(32), spanId: "b".repeat(16) }],
    });
    assert.deepEqual(child, {
      traceId: parent?.traceId,
      spanId: child?.spanId,
      parentSpanId: parent?.spanId,
      service: "service-b",
      name: "GET",
      kind: "client",
      startMs: 1_700_000_000_001,
      durationMs: 2.5,
      attributes: {
        "server.service.name": "service-d",
        "server.port": 8085,
        "http.status.share": 0.5,
        resent: false,
        list: "one, two",
      },
      error: "service-d: away",
      events: [
        {
          name: "fault.injected",
          atMs: 1_700_000_000_002,
          attributes: { "fault.rule": "x" },
        },
      ],
      links: [],
    });
  });
}

for (const [how, kind, code] of [
  ["number", 3, 2],
  ["name", "SPAN_KIND_CLIENT", "STATUS_CODE_ERROR"],
] as const) {
  test(`JSON is read too, with ids as hex, 64-bit numbers as text and enums by ${how}`, async () => {
    await using receiver = await startReceiver();
    const span = {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      parentSpanId: "",
      name: "save",
      kind,
      startTimeUnixNano: "1700000000000500000",
      endTimeUnixNano: "1700000000001000000",
      attributes: [
        { key: "db.system.name", value: { stringValue: "mongodb" } },
        { key: "server.port", value: { intValue: "27017" } },
        { key: "offset", value: { intValue: "-3" } },
      ],
      status: { code },
    };
    const resource = { attributes: [{ key: "service.name", value: { stringValue: "service-c" } }] };
    const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] });
    const answer = await ask(receiver.port, "/v1/traces", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json(), {});
    assert.partialDeepStrictEqual(receiver.spans, [
      {
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: null,
        service: "service-c",
        kind: "client",
        startMs: 1_700_000_000_000.5,
        durationMs: 0.5,
        attributes: { "db.system.name": "mongodb", "server.port": 27_017, offset: -3 },
        error: "failed",
      },
    ]);
  });
}

test("a body is handed on as it came", async () => {
  await using receiver = await startReceiver();
  const bytes = await zip(JSON.stringify({ resourceSpans: [] }));
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  await ask(receiver.port, "/v1/traces", { method: "POST", headers, body: bytes });
  assert.deepEqual(receiver.bodies, [
    { bytes, contentType: "application/json", contentEncoding: "gzip" },
  ]);
});

const protobuf = { "content-type": "application/x-protobuf" };
for (const [what, status, headers, body] of [
  ["bytes that are no protobuf", 400, protobuf, Buffer.from([0x0a, 0xff])],
  ["what is no JSON", 400, { "content-type": "application/json" }, Buffer.from("{oops")],
  ["another type", 400, { "content-type": "text/plain" }, Buffer.from("spans")],
  ["another encoding", 400, { ...protobuf, "content-encoding": "br" }, Buffer.from("x")],
  ["what is not gzip", 400, { ...protobuf, "content-encoding": "gzip" }, Buffer.from("x")],
  ["more than the limit", 413, protobuf, Buffer.alloc(2_000)],
  [
    "what grows beyond the limit",
    413,
    { ...protobuf, "content-encoding": "gzip" },
    await zip(Buffer.alloc(2_000)),
  ],
] as const) {
  test(`${what} is refused with ${status}, and not handed on`, async () => {
    await using receiver = await startReceiver(1_000);
    const answer = await ask(receiver.port, "/v1/traces", { method: "POST", headers, body });
    assert.equal(answer.status, status);
    assert.deepEqual(receiver.bodies, []);
    assert.deepEqual(receiver.spans, []);
  });
}
