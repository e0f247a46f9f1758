import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addressVariable,
  type Environment,
  loadConfig,
  targetOf,
  variables,
} from "#host/base/config";

const target = { FUNCTION_TARGET: "service-c" };

function problemsOf(env: Environment, needs?: Parameters<typeof loadConfig>[1]): string {
  try {
    loadConfig(env, needs);
  } catch (thrown) {
    assert.equal((thrown as { code?: string }).code, "ERR_CONFIG");
    return (thrown as Error).message;
  }
  return assert.fail("the configuration was accepted");
}

test("every problem is listed at once, with its variable and its value", () => {
  const wrong = {
    FUNCTION_TARGET: "../etc",
    PORT: "http",
    NAMESPACE: "dev.svc",
    CALL_PROTOCOL: "smtp",
    DEADLINE_MS: "0",
    DRAIN_TIMEOUT_MS: "-1",
    BODY_LIMIT_BYTES: "1e6",
    LOG_LEVEL: "loud",
    LOG_LEVEL_HEADER: "yes",
    OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "grpc://collector:4317",
    OTEL_TRACES_SAMPLER: "some",
    OTEL_TRACES_SAMPLER_ARG: "2",
    OTEL_BSP_SCHEDULE_DELAY: "soon",
    MONGODB_URL: "localhost:27017",
    RABBITMQ_URL: "http://localhost",
    FAULTS: "yes",
    METRICS: "true",
    WAKE: '{"service-b":"service-c"}',
    WAKE_IDLE_MS: "1m",
    BRIDGE_PREFETCH: "1001",
    BRIDGE_ATTEMPTS: "1.5",
    SERVICE_B_ADDRESS: "http://b:80/",
  };
  const message = problemsOf(wrong, {
    name: "",
    calls: ["service-b"],
    mongodb: true,
    rabbitmq: true,
  });
  for (const [name, value] of Object.entries(wrong)) {
    assert.ok(message.includes(`- ${name}=${value}: `), `${name}\n${message}`);
  }
  assert.equal(message.split("\n").length, 1 + Object.keys(wrong).length);
});

test("a variable that a function needs and does not have is a problem", () => {
  const message = problemsOf({}, { name: "", calls: [], mongodb: true, rabbitmq: true });
  for (const name of ["FUNCTION_TARGET", "MONGODB_URL", "RABBITMQ_URL"]) {
    assert.match(message, new RegExp(`- ${name} is not set: `));
  }
});

test("a password in the function's name is masked where another problem names the function", () => {
  const env = { FUNCTION_TARGET: "amqp://user:hunter2@host" };
  assert.throws(
    () => loadConfig(env, { name: "a", calls: [], mongodb: true, rabbitmq: true }),
    (error: Error) => !error.message.includes("hunter2"),
  );
});

test("a password in a wrong value is masked", () => {
  const message = problemsOf({ ...target, MONGODB_URL: "mongo://user:hunter2@host:1" });
  assert.match(message, /MONGODB_URL=mongo:\/\/user:\*\*\*@host:1/);
  assert.doesNotMatch(message, /hunter2/);
});

test("an empty variable counts as unset", () => {
  const empty = Object.fromEntries(Object.keys(variables).map((name) => [name, " "]));
  const { addressOf: _, ...config } = loadConfig({ ...empty, ...target });
  const { addressOf: __, ...defaults } = loadConfig(target);
  assert.deepEqual(config, defaults);
});

test("the defaults are those that the variables' descriptions name", () => {
  const config = loadConfig(target);
  const named = (name: keyof typeof variables) => /\(([^()]*)\)$/.exec(variables[name])?.[1];
  assert.equal(String(config.port), named("PORT"));
  assert.equal(config.callProtocol, named("CALL_PROTOCOL"));
  assert.equal(String(config.deadlineMs), named("DEADLINE_MS"));
  assert.equal(String(config.drainTimeoutMs), named("DRAIN_TIMEOUT_MS"));
  assert.equal(String(config.bodyLimitBytes), named("BODY_LIMIT_BYTES"));
  assert.equal(config.logLevel, named("LOG_LEVEL"));
  assert.equal(config.faults ? "on" : "off", named("FAULTS"));
  assert.equal(config.metrics ? "on" : "off", named("METRICS"));
  assert.equal(config.wake, undefined);
  const { wake } = loadConfig({ ...target, WAKE: '{"service-b":["service-c"]}' });
  assert.equal(String(wake?.idleMs), named("WAKE_IDLE_MS"));
  assert.equal(String(config.bridgePrefetch), named("BRIDGE_PREFETCH"));
  assert.equal(String(config.bridgeAttempts), named("BRIDGE_ATTEMPTS"));
});

test("a function's address is its name on port 80, unless its variable says otherwise", () => {
  assert.equal(addressVariable("service-b"), "SERVICE_B_ADDRESS");
  for (const [value, address] of [
    [undefined, "service-b:80"],
    ["", "service-b:80"],
    ["localhost:8082", "localhost:8082"],
    ["b.default.svc.cluster.local", "b.default.svc.cluster.local:80"],
    ["[::1]:8082", "[::1]:8082"],
    ["[::1]", "[::1]:80"],
    ["a:1=90, b=10", "a:1=90,b:80=10"],
  ]) {
    const config = loadConfig({ ...target, SERVICE_B_ADDRESS: value });
    assert.equal(config.addressOf("service-b"), address);
  }
});

test("in a namespace a function's address is name.namespace, unless its variable says otherwise", () => {
  const config = loadConfig({ ...target, NAMESPACE: "dev", SERVICE_C_ADDRESS: "localhost:1" });
  assert.equal(config.addressOf("service-b"), "service-b.dev:80");
  assert.equal(config.addressOf("service-c"), "localhost:1");
});

test("origins are split at commas, and blanks around them are not theirs", () => {
  const { corsOrigins } = loadConfig({ ...target, CORS_ORIGINS: "http://a, http://b:1,," });
  assert.deepEqual(corsOrigins, ["http://a", "http://b:1"]);
});

test("only a name that a folder below functions/ can have is a target", () => {
  assert.equal(targetOf({ FUNCTION_TARGET: " service-c " }), "service-c");
  for (const wrong of ["", "../host", "Service-C", "service-", "-a", "a/b", "a.b"]) {
    assert.equal(targetOf({ FUNCTION_TARGET: wrong }), undefined, wrong);
  }
});

test("spans go to the endpoint of traces as it is, else to that of everything at /v1/traces", () => {
  const urlWith = (env: Environment) => loadConfig({ ...target, ...env }).telemetry?.tracesUrl;
  const base = "http://collector:4318";
  assert.equal(urlWith({}), undefined);
  for (const endpoint of [base, `${base}/`]) {
    assert.equal(urlWith({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }), `${base}/v1/traces`);
  }
  const both = {
    OTEL_EXPORTER_OTLP_ENDPOINT: base,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://other/x",
  };
  assert.equal(urlWith(both), "http://other/x");
});

for (const [name, value, pattern] of [
  [
    "RABBITMQ_URL",
    "amqp://guest:gu#est@h:5672",
    /RABBITMQ_URL=amqp:\/\/guest:\*\*\*@h:5672: a # .* %23/,
  ],
  ["RABBITMQ_URL", "amqp://h:port", /it is no URL/],
  ["RABBITMQ_URL", "amqp://h:99999", /it is no URL/],
  ["RABBITMQ_URL", "amqp://:5672", /it is no URL|a host is missing/],
  ["MONGODB_URL", "mongodb://u:p#w@h", /MONGODB_URL=.*%23/],
  ["MONGODB_URL", "mongodb://u:p@h:0x1,other", /it is no URL/],
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "http://a b", /%20/],
  ["WAKE", "service-b", /WAKE=service-b: lists of functions by function or queue are expected/],
  ["WAKE", "[]", /WAKE=\[\]: /],
  ["WAKE", '{"service-b":["Service-C"]}', /WAKE=.*Service-C/],
  ["WAKE", '{"amqp:letters":["service-c"]}', /WAKE=.*amqp:letters/],
  ["WAKE", '{"__proto__":["service-c"]}', /WAKE=.*__proto__/],
  ["SERVICE_B_ADDRESS", "b:0", /SERVICE_B_ADDRESS=b:0/],
  ["SERVICE_B_ADDRESS", "b:65536", /SERVICE_B_ADDRESS=b:65536/],
  ["SERVICE_B_ADDRESS", "a:1=90,b:2=9", /SERVICE_B_ADDRESS=a:1=90,b:2=9: .* a:80=90,b:80=10/],
  ["SERVICE_B_ADDRESS", "a:1,b:2", /SERVICE_B_ADDRESS=a:1,b:2/],
] as const) {
  test(`${name}=${value} is a problem at the start`, () => {
    const needs = { name: "a", calls: ["service-b"], mongodb: false, rabbitmq: false };
    assert.match(problemsOf({ ...target, [name]: value }, needs), pattern);
  });
}

for (const [name, value] of [
  ["RABBITMQ_URL", "amqps://user:p%23ss@broker.example-api.com:5671/vhost?heartbeat=10"],
  ["RABBITMQ_URL", "amqp://[::1]:5672"],
  ["MONGODB_URL", "mongodb://u:p%40@a:27017,b:27018,c/db?replicaSet=rs"],
  ["MONGODB_URL", "mongodb+srv://u:p@database.example-api.com/?retryWrites=true"],
  ["SERVICE_B_ADDRESS", "[::1]:8080"],
  ["WAKE", '{"service-b":["constructor"],"rabbitmq:new.letters":["service-f"]}'],
] as const) {
  test(`${name}=${value} is taken`, () => {
    loadConfig({ ...target, [name]: value }, undefined).addressOf("service-b");
  });
}

test("nothing is woken where there is nothing, or the idle period is 0", () => {
  const env = { ...target, WAKE: '{"service-b":["service-c"]}' };
  assert.deepEqual(loadConfig({ ...target, WAKE: "{}" }).wake, undefined);
  assert.deepEqual(loadConfig({ ...env, WAKE_IDLE_MS: "0" }).wake, undefined);
  assert.equal(loadConfig({ ...env, WAKE_IDLE_MS: "8000" }).wake?.idleMs, 8_000);
});

test("the address of a function that is woken is checked, too", () => {
  const env = { WAKE: '{"service-b":["service-c"]}', SERVICE_C_ADDRESS: "c:0" };
  assert.match(problemsOf({ ...target, ...env }), /SERVICE_C_ADDRESS=c:0/);
});
