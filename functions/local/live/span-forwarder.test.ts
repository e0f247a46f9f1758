import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { makeCertificates } from "../../test/support/certificate.ts";
import { until } from "../../test/support/until.ts";
import { telemetryNotices } from "./live-env.ts";
import { createSpanForwarder } from "./span-forwarder.ts";

const certificates = makeCertificates();
after(() => certificates[Symbol.dispose]());
const { ca, cert, key, read } = certificates;
const body = {
  bytes: Buffer.from("spans"),
  contentType: "application/x-protobuf",
  contentEncoding: undefined,
};

/** A collector behind TLS, which asks its clients for a certificate where `mutual`. */
async function startCollector(mutual = false) {
  const got: string[] = [];
  const options = { cert: read(cert), key: read(key), ca: read(ca), requestCert: mutual };
  const server = createServer(options, async (request, response) => {
    got.push(Buffer.concat(await request.toArray()).toString());
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    got,
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

for (const [what, mutual, more] of [
  ["a certificate of its own authority", false, {}],
  [
    "a certificate on either side",
    true,
    { OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: cert, OTEL_EXPORTER_OTLP_CLIENT_KEY: key },
  ],
] as const) {
  test(`spans are sent on to a collector with ${what}`, async () => {
    await using collector = await startCollector(mutual);
    const said: string[] = [];
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_CERTIFICATE: ca,
      ...more,
    };
    const forwarder = createSpanForwarder(env, (line) => said.push(line));
    forwarder?.send(body);
    await forwarder?.close();
    assert.deepEqual(said, []);
    assert.deepEqual(collector.got, ["spans"]);
  });
}

for (const [what, env, expected] of [
  ["whose authority is not known", {}, /^Spans cannot be sent on to https:.*: .*certificate/],
  [
    "whose certificate file is not there",
    { OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: "/nowhere/ca.pem" },
    /^Spans are not sent on: OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE=\/nowhere\/ca.pem: ENOENT/,
  ],
] as const) {
  test(`a collector ${what} is one line with the cause`, async () => {
    await using collector = await startCollector();
    const said: string[] = [];
    const forwarder = createSpanForwarder(
      { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env },
      (line) => said.push(line),
    );
    forwarder?.send(body);
    forwarder?.send(body);
    await until("the line", () => said.length > 0);
    await forwarder?.close();
    assert.match(said.join("\n"), expected);
    assert.equal(said.length, 1);
  });
}

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4317" };
for (const [env, expected] of [
  [{}, []],
  [endpoint, []],
  [{ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" }, []],
  [
    { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    ["OTEL_EXPORTER_OTLP_PROTOCOL=grpc: spans are sent by http/protobuf"],
  ],
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, []],
  [
    { OTEL_TRACES_SAMPLER: "always_off" },
    ["OTEL_TRACES_SAMPLER=always_off: no spans are made, so the page shows no calls"],
  ],
  [{ OTEL_SDK_DISABLED: "TRUE" }, ["OTEL_SDK_DISABLED=TRUE: no spans are made"]],
  [{ OTEL_TRACES_EXPORTER: "none" }, ["OTEL_TRACES_EXPORTER=none: no spans are made"]],
] as const) {
  test(`with ${JSON.stringify(env)} the start says ${expected.length} lines of it`, () => {
    const notices = telemetryNotices(env);
    assert.equal(notices.length, expected.length, notices.join("\n"));
    for (const [i, line] of expected.entries()) assert.ok(notices[i]?.startsWith(line), notices[i]);
  });
}
