/** Functions under functions-framework's own command line, as any platform of that framework runs them. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { freePort } from "../../local/ports.ts";
import { ask } from "../../test/support/ask.ts";
import { unique } from "../../test/support/effect-host.ts";
import { runNode } from "../../test/support/run-function.ts";
import { useDatabase } from "../../test/support/services.ts";
import { until } from "../../test/support/until.ts";

const MONGODB_URL = await useDatabase();
const functions = join(import.meta.dirname, "../..");
const testing = createRequire(import.meta.url).resolve("@google-cloud/functions-framework/testing");
const command = join(dirname(testing), "main.js");

async function startStock(name: string, source: string, env: Record<string, string> = {}) {
  const port = await freePort();
  const args = [command, `--source=${source}`, `--target=${name}`, `--port=${port}`];
  const run = runNode(args, { LOG_LEVEL: "info", ...env });
  const answers = () =>
    ask(port, "/robots.txt").then(
      () => true,
      () => false,
    );
  await until(`${name} listens`, answers);
  return { port, run, [Symbol.asyncDispose]: run[Symbol.asyncDispose] };
}

test("service-c answers and saves, with the same answers as under the host", async () => {
  await using stock = await startStock("service-c", join(functions, "service-c/index.ts"), {
    MONGODB_URL,
  });
  for (const path of ["/", "/api/greeting"]) {
    const answer = await ask(stock.port, path, { headers: { "x-request-id": "r1" } });
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.text, /Konnichiwa, from Service-C!/);
    assert.equal(answer.headers["x-request-id"], "r1");
  }
  for (const [path, method, status, code] of [
    ["/nowhere", "GET", 404, "ERR_NOT_FOUND"],
    ["/api/greeting", "DELETE", 405, "ERR_METHOD"],
  ] as const) {
    const answer = await ask(stock.port, path, { method });
    assert.equal(answer.status, status);
    assert.equal(answer.headers["content-type"], "application/problem+json");
    assert.equal(answer.json().code, code);
  }
  assert.match(stock.run.stdout(), /"requestId":"r1".*GET \/ 200/);
});

test("service-f takes events in both modes and shows them", async () => {
  await using stock = await startStock("service-f", join(functions, "service-f/index.ts"), {
    MONGODB_URL,
  });
  const id = unique("event");
  const structured = { specversion: "1.0", id, source: "/s", type: "t", data: { a: 1 } };
  const taken = await ask(stock.port, "/", {
    headers: { "content-type": "application/cloudevents+json" },
    body: JSON.stringify(structured),
  });
  assert.equal(taken.status, 204, taken.text);
  const binary = { "ce-specversion": "1.0", "ce-id": `${id}-2`, "ce-source": "/s", "ce-type": "t" };
  const headers = { ...binary, "content-type": "application/json" };
  assert.equal((await ask(stock.port, "/", { headers, body: '{"a":2}' })).status, 204);
  const { messages } = (await ask(stock.port, "/api/messages?limit=2")).json<{
    messages: { id: string; data: object }[];
  }>();
  assert.deepEqual(
    messages.map((message) => [message.id, message.data]),
    [
      [`${id}-2`, { a: 2 }],
      [id, { a: 1 }],
    ],
  );
  const refused = await ask(stock.port, "/", {
    headers: { ...headers, "ce-type": "" },
    body: "{}",
  });
  assert.equal(refused.status, 400);
  assert.match(refused.text, /"code":"ERR_BAD_REQUEST"/);
});

test("a plain handler is served as that framework serves it", async () => {
  const folder = await mkdtemp(join(functions, "../.local/plain-"));
  try {
    const file = join(folder, "index.ts");
    const framework = "@google-cloud/functions-framework";
    await writeFile(
      file,
      `import { http } from "${framework}";\nhttp("plain", (request, response) => void response.send(\`hello \${request.query.name}\`));\n`,
    );
    await using stock = await startStock("plain", file);
    assert.equal((await ask(stock.port, "/?name=you")).text, "hello you");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a variable that is missing is named in the answer, and the process lives", async () => {
  await using stock = await startStock("service-c", join(functions, "service-c/index.ts"));
  for (let i = 0; i < 2; i++) {
    const answer = await ask(stock.port);
    assert.equal(answer.status, 500);
    assert.equal(answer.json().code, "ERR_CONFIG");
    assert.match(answer.text, /MONGODB_URL is not set/);
  }
});
