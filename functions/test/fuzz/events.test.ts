/** CloudEvents over HTTP, to the subscriber itself and through the gateway. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { ask } from "../support/ask.ts";
import { answerTo, assertOurs, framed } from "../support/fuzz/answers.ts";
import { attributes, content, contentType, encoding, structured } from "../support/fuzz/events.ts";
import { fuzz } from "../support/fuzz/fuzz.ts";
import { startTarget } from "../support/fuzz/target.ts";
import { useDatabase } from "../support/services.ts";
import { until } from "../support/until.ts";

const withoutBreaks = (value: unknown) => String(value).replace(/[\r\n\0]/g, " ");

const binary = fc.record({
  attributes: attributes.map((given) =>
    Object.entries(given).map(([name, value]) => [
      `ce-${name.replace(/[^\w-]/g, "x")}`,
      withoutBreaks(value),
    ]),
  ),
  body: content,
});
const event = fc.oneof(
  { weight: 2, arbitrary: binary },
  {
    weight: 1,
    arbitrary: fc.record({
      attributes: fc.constant([] as string[][]),
      body: fc.oneof(structured, structured, content),
    }),
  },
);
const input = fc.record({
  event,
  type: contentType,
  encoding: fc.option(encoding, { freq: 6, nil: undefined }),
  throughGateway: fc.boolean(),
});

type Input = typeof input extends fc.Arbitrary<infer T> ? T : never;

function bytesOf({ event: { attributes, body }, type, encoding, throughGateway }: Input) {
  const media = attributes.length === 0 && type === "" ? "application/cloudevents+json" : type;
  const headers: [string, string][] = attributes.map(([name = "", value = ""]) => [name, value]);
  headers.push(["content-type", media]);
  if (encoding !== undefined) headers.push(["content-encoding", encoding]);
  return framed(
    throughGateway ? "POST /api/services/service-f/events" : "POST /",
    headers,
    Buffer.from(body),
  );
}

test("an event is taken or refused, whatever it is", async (context) => {
  await using target = await startTarget("service-f", {
    env: { MONGODB_URL: await useDatabase(), FAULTS: "on" },
  });
  await using gateway = await startTarget("gateway", {
    env: { SERVICE_F_ADDRESS: target.address, FAULTS: "on" },
  });
  await until("the subscriber", async () => (await ask(target.port, "/readyz")).status === 200);
  await fuzz(context, {
    seam: "events",
    input,
    bytesOf,
    async send(given) {
      const { port } = given.throughGateway ? gateway : target;
      const answer = await answerTo(port, bytesOf(given));
      assertOurs(answer);
      // What Knative's source tries again is not what can never succeed.
      assert.ok(![404, 413].includes(answer.status), answer.head);
    },
    targets: [target, gateway],
    async wellAfter() {
      const id = randomUUID();
      const headers = { "ce-id": id, "ce-specversion": "1.0", "ce-source": "/s", "ce-type": "t" };
      const { status } = await ask(gateway.port, "/api/services/service-f/events", {
        method: "POST",
        headers,
      });
      assert.equal(status, 204);
      const { text } = await ask(target.port, "/api/messages?limit=1");
      assert.ok(text.includes(id), text);
    },
  });
});
