import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { saveTo, subscriber } from "#host";
import type { PropagatedHeaders } from "#host/base/headers";
import { draw } from "#host/call/faults";
import type { Effect } from "#host/kinds/definition";
import type { Message } from "#host/kinds/effects";
import { type AskOptions, ask } from "../../test/support/ask.ts";
import { useDatabase } from "../../test/support/services.ts";
import { startTestHost } from "../../test/support/test-host.ts";
import { until } from "../../test/support/until.ts";

const url = await useDatabase();

async function startSubscriber(mongodbUrl = url, more: Record<string, string> = {}) {
  const effect = saveTo(`test-${randomUUID()}.messages`);
  const definition = subscriber({ name: "subscriber", greeting: "Hola", effects: [effect] });
  const host = await startTestHost(definition, { env: { MONGODB_URL: mongodbUrl, ...more } });
  await until("readiness", () => host.ready());
  const post = (options: AskOptions) => ask(host.port, "/", { method: "POST", ...options });
  return {
    host,
    post,
    postEvent: (event: object) => post(structured(event)),
    async messages(query = "") {
      const answer = await ask(host.port, `/api/messages${query}`);
      return answer.json<{ messages: Record<string, unknown>[] }>().messages;
    },
    [Symbol.asyncDispose]: host[Symbol.asyncDispose],
  };
}

const event = { specversion: "1.0", id: "1", source: "/test", type: "t" };

function structured(content: object): AskOptions {
  const headers = { "content-type": "application/cloudevents+json" };
  return { headers, body: JSON.stringify(content) };
}

test("stores a structured event before it answers 204", async () => {
  await using sut = await startSubscriber();
  const answer = await sut.postEvent({ ...event, data: { a: 1 } });
  assert.equal(answer.status, 204);
  assert.equal(answer.text, "");
  const [message] = await sut.messages();
  assert.equal(message?.id, "1");
  assert.deepEqual(message?.data, { a: 1 });
});

test("stores a binary event before it answers 204", async () => {
  await using sut = await startSubscriber();
  const attributes = {
    "ce-specversion": "1.0",
    "ce-id": "2",
    "ce-source": "/test",
    "ce-type": "t",
  };
  const headers = { ...attributes, "ce-extra": "kept", "content-type": "application/json" };
  assert.equal((await sut.post({ headers, body: '{"a":2}' })).status, 204);
  const [message] = await sut.messages();
  assert.equal(message?.extra, "kept");
  assert.deepEqual(message?.data, { a: 2 });
});

for (const missing of ["specversion", "id", "source", "type"] as const) {
  test(`refuses an event without ${missing}, and says so`, async () => {
    await using sut = await startSubscriber();
    const { [missing]: _, ...rest } = event;
    const answer = await sut.postEvent(rest);
    assert.equal(answer.status, 400);
    const { code, detail } = answer.json<{ code: string; detail: string }>();
    assert.equal(code, "ERR_BAD_REQUEST");
    assert.match(detail, new RegExp(`^not a CloudEvent: .*${missing}`));
    assert.deepEqual(await sut.messages(), []);
  });
}

test("refuses a binary event without an id, which the SDK would make up", async () => {
  await using sut = await startSubscriber();
  const headers = { "ce-specversion": "1.0", "ce-source": "/test", "ce-type": "t" };
  const answer = await sut.post({
    headers: { ...headers, "content-type": "text/plain" },
    body: "x",
  });
  assert.equal(answer.status, 400);
  assert.match(String(answer.json().detail), /id/);
});

test("refuses what is no event, a batch, and malformed JSON", async () => {
  await using sut = await startSubscriber();
  const batch = { "content-type": "application/cloudevents-batch+json" };
  const json = { "content-type": "application/json" };
  for (const options of [
    { headers: batch, body: JSON.stringify([event]) },
    { headers: json, body: "{}" },
    { headers: json, body: "{" },
    { body: "" },
  ]) {
    const answer = await sut.post(options);
    assert.equal(answer.status, 400, JSON.stringify(options));
    assert.equal(answer.json().code, "ERR_BAD_REQUEST");
  }
});

test("stores an event that is delivered again only once, and another source's beside it", async () => {
  await using sut = await startSubscriber();
  for (const source of ["/test", "/test", "/other"]) {
    assert.equal((await sut.postEvent({ ...event, source })).status, 204);
  }
  assert.deepEqual((await sut.messages()).map(({ source }) => source).sort(), ["/other", "/test"]);
});

test("shows the newest messages first, as many as are asked for", async () => {
  await using sut = await startSubscriber();
  for (const id of ["a", "b", "c"]) await sut.postEvent({ ...event, id });
  assert.deepEqual(
    (await sut.messages("?limit=2")).map(({ id }) => id),
    ["c", "b"],
  );
  for (const limit of ["0", "x", "1001", "-1", ""]) {
    const answer = await ask(sut.host.port, `/api/messages?limit=${limit}`);
    assert.equal(answer.status, 400, limit);
  }
});

test("continues the event's own trace, not that of its delivery", async () => {
  let seen: PropagatedHeaders = {};
  const effect: Effect<Message> = {
    system: "mongodb",
    destination: "none.none",
    open: async () => ({
      name: "nothing",
      problem: () => undefined,
      close: async () => {},
      bind: () => ({ latest: async () => [] }),
      apply: async (_, call) => {
        seen = call.headers;
      },
    }),
  };
  const definition = subscriber({ name: "subscriber", greeting: "Hola", effects: [effect] });
  await using host = await startTestHost(definition, { env: { MONGODB_URL: url } });
  const { headers, body } = structured({ ...event, traceparent: "00-event", xrequestid: "event" });
  const delivery = { traceparent: "00-delivery", "x-request-id": "delivery", b3: "delivery" };
  await ask(host.port, "/", {
    method: "POST",
    headers: { ...headers, ...delivery },
    body: body ?? "",
  });
  assert.deepEqual(seen, { traceparent: "00-event", "x-request-id": "event", b3: "delivery" });
});

test("an event's faults happen to each delivery anew, and the event is kept once", async () => {
  await using sut = await startSubscriber(url, { FAULTS: "on" });
  const requestId = randomUUID();
  const fault = { target: "subscriber", action: "503", requestId, seed: 7 };
  const fails = (attempt: number) => draw({ ...fault, attempt }) < 0.5;
  const xfault = "subscriber=503@50%; seed=7";
  for (const attempt of [1, 2, 3, 4, 5, 6]) {
    const answer = await sut.postEvent({ ...event, xfault, xrequestid: requestId });
    assert.equal(answer.status, fails(attempt) ? 503 : 204, `attempt ${attempt}`);
    if (fails(attempt)) assert.match(answer.text, /subscriber: a fault was injected: 503/);
  }
  // Another event with the same request id begins anew.
  const other = await sut.postEvent({ ...event, id: "2", xfault, xrequestid: requestId });
  assert.equal(other.status, fails(1) ? 503 : 204);
});

test("an event's faults are ignored unless FAULTS=on, and wrong ones are refused when it is", async () => {
  await using off = await startSubscriber();
  assert.equal((await off.postEvent({ ...event, xfault: "subscriber=503" })).status, 204);
  assert.equal((await off.postEvent({ ...event, xfault: "subscriber=now" })).status, 204);
  await using on = await startSubscriber(url, { FAULTS: "on" });
  const answer = await on.postEvent({ ...event, xfault: "subscriber=now" });
  assert.equal(answer.status, 400);
  assert.match(answer.text, /x-fault: .*an HTTP status from 400 to 599/);
  assert.deepEqual(await on.messages(), []);
});

test("the time from an event to its storing is shown", async () => {
  await using sut = await startSubscriber();
  const time = new Date(Date.now() - 45_000).toISOString();
  await sut.postEvent({ ...event, time });
  const { text } = await ask(sut.host.port, "/metrics");
  const lag = (le: string) =>
    `cloudevents_delivery_lag_seconds_bucket{le="${le}",service_name="subscriber"}`;
  assert.ok(text.includes(`${lag("30")} 0\n${lag("60")} 1\n`), text);
});

test("an event is parsed once, whatever needs it", async (t) => {
  await using sut = await startSubscriber();
  const parse = t.mock.method(JSON, "parse");
  for (const [id, options] of [
    ["once-structured", structured({ ...event, id: "once-structured", data: { a: 1 } })],
    [
      "once-binary",
      {
        headers: {
          ...{ "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" },
          "content-type": "application/json",
        },
        body: '{"a":"once-binary"}',
      },
    ],
  ] as const) {
    assert.equal((await sut.post(options)).status, 204);
    const parsed = parse.mock.calls.filter(({ arguments: [text] }) => String(text).includes(id));
    assert.equal(parsed.length, 1, id);
  }
});
