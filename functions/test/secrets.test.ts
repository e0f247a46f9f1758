/** A password in a connection string is in no log line, no answer and no error, whatever goes wrong with the connection. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { withoutPassword } from "#host/telemetry/logger";
import c from "../service-c/index.ts";
import d from "../service-d/index.ts";
import { ask } from "./support/ask.ts";
import { useBroker } from "./support/services.ts";
import { startTestHost } from "./support/test-host.ts";
import { until } from "./support/until.ts";

const { host: broker } = new URL(await useBroker());
const secret = "s3cr3t";
const definitions = { "service-c": c, "service-d": d };

/** What a function says: in its log, and to requests; or why it does not start. */
async function saidBy(target: keyof typeof definitions, url: string): Promise<string> {
  const variable = target === "service-c" ? "MONGODB_URL" : "RABBITMQ_URL";
  const env = { [variable]: url, LOG_LEVEL: "trace", DEADLINE_MS: "2000" };
  const starting = startTestHost(definitions[target], { env });
  const failure = await starting.then(
    () => undefined,
    (thrown: Error) => inspect(thrown),
  );
  if (failure) return failure;
  await using host = await starting;
  const answers: string[] = [];
  await until(`${target} knows why`, async () => {
    const { text } = await ask(host.port, "/readyz");
    return !text.includes("not connected yet");
  });
  for (const path of ["/readyz", "/api/greeting", "/metrics", "/healthz"]) {
    answers.push((await ask(host.port, path)).text);
  }
  return [JSON.stringify(host.logs), ...answers].join("\n");
}

for (const [what, target, url] of [
  ["a broker that refuses the password", "service-d", `amqp://guest:${secret}@${broker}`],
  ["a broker that is away", "service-d", `amqp://u:${secret}@127.0.0.1:1`],
  ["a broker that is away, by TLS", "service-d", `amqps://u:${secret}@127.0.0.1:1`],
  ["a broker without an address", "service-d", `amqp://u:${secret}@nowhere.invalid`],
  ["a database that is away", "service-c", `mongodb://u:${secret}@127.0.0.1:1`],
  ["a database without an address", "service-c", `mongodb+srv://u:${secret}@nowhere.invalid`],
  [
    "an option that the driver does not know",
    "service-c",
    `mongodb://u:${secret}@127.0.0.1:1/?no=${secret}`,
  ],
  [
    "a file that is not there",
    "service-c",
    `mongodb://u:${secret}@127.0.0.1:1/?tls=true&tlsCAFile=/no`,
  ],
  ["no scheme", "service-d", `user:${secret}@127.0.0.1`],
  ["another scheme", "service-d", `http://user:${secret}@127.0.0.1`],
  ["a blank in the password", "service-d", `amqp://user:a ${secret}@127.0.0.1`],
  ["a # in the password", "service-c", `mongodb://user:a#${secret}@127.0.0.1`],
  ["a slash in the password", "service-c", `mongodb://user:a/${secret}@127.0.0.1`],
  ["an @ in the password", "service-d", `amqp://user:a@${secret}@127.0.0.1:1`],
  ["a port that is none", "service-d", `amqp://user:${secret}@127.0.0.1:99999`],
] as const) {
  test(`with ${what}, the password is nowhere`, async () => {
    const said = await saidBy(target, url);
    assert.ok(said.length > 0);
    assert.ok(!said.includes(secret), said);
  });
}

for (const [url, shown] of [
  ["amqp://h:5672/v", "amqp://h:5672/v"],
  ["amqp://user@h:5672", "amqp://user@h:5672"],
  ["amqp://user:x@h:5672", "amqp://user:***@h:5672"],
  ["amqp://:x@h", "amqp://:***@h"],
  ["amqp:/user:x@h", "amqp:/user:***@h"],
  ["user:x:y@h", "user:***@h"],
  ["mongodb://u:x@y/z@a:1,b:2/?tls=true", "mongodb://u:***@a:1,b:2/?tls=true"],
  [
    "mongodb://h/?tlsCertificateKeyFilePassword=x&tls=true",
    "mongodb://h/?tlsCertificateKeyFilePassword=***&tls=true",
  ],
  [
    "mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:x",
    "mongodb://h/?authMechanismProperties=***",
  ],
] as const) {
  test(`${shown} is what is shown`, () => assert.equal(withoutPassword(url), shown));
}
