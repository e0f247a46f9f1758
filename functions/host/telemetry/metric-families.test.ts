import assert from "node:assert/strict";
import { test } from "node:test";
import { figureOf, linesOf, outcome, useMetrics } from "../../test/support/metrics.ts";

const peer = { "server.service.name": "service-c", "server.address": "c", "server.port": 80 };
const peerLabels = 'server_service_name="service-c",server_address="c",server_port="80"';
for (const [what, kind, attributes, metric, labels] of [
  [
    "a served HTTP request",
    "server",
    {
      "http.request.method": "GET",
      "http.route": "/api/greeting",
      "http.response.status_code": 200,
      "url.scheme": "http",
      "url.path": "/api/greeting",
    },
    "http_server_request_duration_seconds",
    'http_request_method="GET",http_route="/api/greeting",http_response_status_code="200",url_scheme="http",error_type=""',
  ],
  [
    "a served gRPC call",
    "server",
    {
      "rpc.system.name": "grpc",
      "rpc.method": "greeting.GreetingService/Greeting",
      "rpc.status_code": "OK",
    },
    "rpc_server_call_duration_seconds",
    'rpc_system_name="grpc",rpc_method="greeting.GreetingService/Greeting",rpc_status_code="OK",error_type=""',
  ],
  [
    "an HTTP request to a function",
    "client",
    { ...peer, "http.request.method": "GET", "http.response.status_code": 200 },
    "http_client_request_duration_seconds",
    `http_request_method="GET",${peerLabels},http_response_status_code="200",error_type=""`,
  ],
  [
    "a gRPC call to a function",
    "client",
    { ...peer, "rpc.system.name": "grpc", "rpc.method": "a/b", "rpc.status_code": "OK" },
    "rpc_client_call_duration_seconds",
    `rpc_system_name="grpc",${peerLabels},rpc_method="a/b",rpc_status_code="OK",error_type=""`,
  ],
  [
    "a save",
    "client",
    {
      "db.system.name": "mongodb",
      "db.namespace": "service-c",
      "db.collection.name": "greetings",
      "db.operation.name": "insert",
    },
    "db_client_operation_duration_seconds",
    'db_system_name="mongodb",db_namespace="service-c",db_collection_name="greetings",db_operation_name="insert",error_type=""',
  ],
  [
    "a publish",
    "producer",
    {
      "messaging.system.name": "rabbitmq",
      "messaging.destination.name": "service-d",
      "messaging.operation.type": "send",
      "messaging.message.id": "1",
    },
    "messaging_client_operation_duration_seconds",
    'messaging_system_name="rabbitmq",messaging_destination_name="service-d",messaging_operation_type="send",error_type=""',
  ],
  [
    "a processed message",
    "consumer",
    {
      "messaging.system.name": "rabbitmq",
      "messaging.destination.name": "service-d",
      "messaging.operation.type": "process",
    },
    "messaging_process_duration_seconds",
    'messaging_system_name="rabbitmq",messaging_destination_name="service-d",messaging_operation_type="process",error_type=""',
  ],
] as const) {
  test(`${what} is counted in ${metric}, by labels of few values`, async () => {
    using metrics = useMetrics();
    metrics.record(outcome(kind, attributes));
    metrics.record(outcome(kind, attributes, { durationSeconds: 0.5 }));
    assert.deepEqual(await linesOf(metrics, `${metric}_count`), [
      `${metric}_count{service_name="service-a",${labels}} 2`,
    ]);
    assert.equal(await figureOf(metrics, `${metric}_sum`), 0.53);
    const others = (await linesOf(metrics, "")).filter((line) =>
      /_duration_seconds_count/.test(line),
    );
    assert.equal(others.length, 1, "it is counted once");
  });
}

test("errors are counted apart, by their type", async () => {
  using metrics = useMetrics();
  const attributes = { "http.request.method": "GET", "http.response.status_code": 503 };
  metrics.record(outcome("server", attributes, { errorType: "ERR_STORE" }));
  const [line] = await linesOf(metrics, "http_server_request_duration_seconds_count");
  assert.match(line ?? "", /http_response_status_code="503".*error_type="ERR_STORE"} 1$/);
});

test("methods that somebody makes up are one series", async () => {
  using metrics = useMetrics();
  for (const method of ["BREW", "WHEN", "PROPFIND"]) {
    metrics.record(outcome("server", { "http.request.method": method }));
  }
  const lines = await linesOf(metrics, "http_server_request_duration_seconds_count");
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /http_request_method="_OTHER".* 3$/);
});
