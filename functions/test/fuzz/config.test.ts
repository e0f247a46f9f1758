/** The environment: a function starts with it, or says everything that is wrong with it and ends with 2. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { loadConfig, variables } from "#host/base/config";
import { HostError } from "#host/base/errors";
import { functionsDir } from "../../local/discover.ts";
import { assertNoInternals } from "../support/fuzz/answers.ts";
import { fuzz } from "../support/fuzz/fuzz.ts";
import { anyText } from "../support/fuzz/http-headers.ts";
import { runNode } from "../support/run-function.ts";

const password = "hunter2";
const value = fc.oneof(
  fc.constantFrom(
    ...[
      "",
      " ",
      "0",
      "-1",
      "+1",
      "1.5",
      "1e3",
      "0x10",
      "٣",
      "NaN",
      "Infinity",
      "65535",
      "65536",
      "9".repeat(40),
    ],
    ...[
      "on",
      "ON",
      "off",
      "true",
      "debug",
      "declared",
      "grpc",
      "\t8080\n",
      "8080;rm -rf",
      "$(id)",
      "%00",
      "../host",
    ],
    ...[
      "http://",
      "http://h",
      "http://h:0",
      "http://h:99999",
      "http://[::1",
      "http://[::1]:9",
      "https://ü",
      "//h",
    ],
    ...[
      `amqp://u:${password}@h`,
      `amqp://u:${password}#@h`,
      `amqps://u:${password}@`,
      "amqp://h:port",
      "amqp:",
    ],
    ...[
      `mongodb://u:${password}@h`,
      `mongodb://u:${password}@h1,h2:1,h3:x`,
      "mongodb+srv://h:1",
      "mongodb://",
    ],
    ...[
      "h:80",
      "h:0",
      "h:65536",
      "[::1]:80",
      "[::1",
      "a b:80",
      "h:80:80",
      ":80",
      "http://h:80",
      "*",
      "null",
      "a=b,c",
    ],
  ),
  anyText.map((text) => text.replaceAll("\0", " ")),
  fc.integer().map(String),
);
const names = [
  ...Object.keys(variables),
  "SERVICE_A_ADDRESS",
  "SERVICE_B_ADDRESS",
  "HTTP_PROXY",
  "OTEL_X",
];
const environment = fc
  .array(fc.tuple(fc.constantFrom(...names), value), { minLength: 1, maxLength: 6 })
  .map((entries) => Object.fromEntries(entries) as Record<string, string>);

const needs = { name: "service-a", calls: ["service-b"], mongodb: true, rabbitmq: true };
const listed = /^wrong configuration:\n(- [\s\S]+\n?)+$/;

test("any environment is taken, or refused by a list", async (context) => {
  await fuzz(context, {
    seam: "config",
    input: environment,
    bytesOf: (env) => JSON.stringify(env),
    async send(env) {
      try {
        loadConfig(env, needs);
      } catch (thrown) {
        assert.ok(thrown instanceof HostError, String(thrown));
        assert.equal(thrown.code, "ERR_CONFIG");
        assert.match(thrown.message, listed);
        assert.doesNotMatch(thrown.message, new RegExp(`:${password}[#@]`));
      }
    },
    targets: [],
    async wellAfter() {},
  });
});

test("a process with any environment listens, or ends with 2 and the list", async () => {
  const main = join(functionsDir, "host/main.ts");
  const few = fc.sample(environment, { numRuns: 12, seed: 20_260_101 });
  const ends = few.map(async (given) => {
    // PORT and HOST alone could take what another test needs.
    const env = { ...given, HOST: "127.0.0.1", PORT: "0" };
    await using run = runNode([main, "--once"], { FUNCTION_TARGET: "service-a", ...env });
    return [await run.exit, run.stderr()] as const;
  });
  for (const [code, stderr] of await Promise.all(ends)) {
    assertNoInternals(stderr);
    if (code !== 0) {
      assert.equal(code, 2, stderr);
      assert.match(stderr, listed);
    }
  }
});
