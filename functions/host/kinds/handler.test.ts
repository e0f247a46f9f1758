import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { greeter, grpc, HostError, handler, http, type JsonSchema } from "#host";
import { ask } from "../../test/support/ask.ts";
import { startTestHost } from "../../test/support/test-host.ts";

interface Order {
  item: string;
  quantity: number;
}

const jsonSchema: JsonSchema<Order> = {
  type: "object",
  properties: { item: { type: "string" }, quantity: { type: "integer", minimum: 1 } },
  required: ["item", "quantity"],
  additionalProperties: false,
};
const zodSchema = z.strictObject({ item: z.string(), quantity: z.number().int().min(1) });

const tested = handler({
  name: "orders",
  setup: async () => ({ prefix: "order" }),
  routes: {
    "POST /api/json": { body: jsonSchema, handle: async ({ body }) => ({ status: 201, body }) },
    "POST /api/zod": {
      body: zodSchema,
      handle: async ({ body }) => ({ status: 201, body: { twice: body.quantity * 2 } }),
    },
    "GET /api/orders/{id}": {
      handle: async ({ parameters: { id }, query, state }) => ({
        body: { id: `${state.prefix}-${id}`, page: query.get("page") },
      }),
    },
    "PUT /api/bytes": { handle: async ({ body }) => ({ body }) },
    "DELETE /api/orders/{id}": { handle: async () => undefined },
    "GET /api/missing": {
      handle: async () => {
        throw new HostError("ERR_NOT_FOUND", "there is no order 7");
      },
    },
    "GET /api/throws": {
      handle: async () => {
        throw new TypeError("secret detail");
      },
    },
    "GET /api/endless": { handle: () => new Promise<never>(() => {}) },
    "GET /api/circular": {
      handle: async () => {
        const body: Record<string, unknown> = {};
        body.self = body;
        return { body };
      },
    },
  },
});

const json = { "content-type": "application/json" };

test("a route gets its parameters, its query, and what setup made", async () => {
  await using host = await startTestHost(tested);
  const answer = await ask(host.port, "/api/orders/a%20b?page=2");
  assert.deepEqual(answer.json(), { id: "order-a b", page: "2" });
});

test("a body without a schema is its bytes, and an answer without a body is 204", async () => {
  await using host = await startTestHost(tested);
  const bytes = Buffer.from([0, 255, 128]);
  const headers = { "content-type": "application/octet-stream" };
  const put = await ask(host.port, "/api/bytes", { method: "PUT", headers, body: bytes });
  assert.equal(put.status, 200);
  const deleted = await ask(host.port, "/api/orders/1", { method: "DELETE" });
  assert.deepEqual([deleted.status, deleted.text], [204, ""]);
});

for (const path of ["/api/json", "/api/zod"]) {
  for (const [what, body, status, detail] of [
    ["a body that passes", { item: "tea", quantity: 2 }, 201, undefined],
    ["a field that is missing", { item: "tea" }, 400, /quantity/],
    ["a field of another type", { item: "tea", quantity: "2" }, 400, /\/quantity/],
    ["a field that is not declared", { item: "tea", quantity: 2, x: 1 }, 400, /x/],
    ["two wrong fields", { item: 1, quantity: 0 }, 400, /\/item.*\/quantity/],
    ["an array", [], 400, /the body is not as declared/],
    ["null", null, 400, /the body is not as declared/],
  ] as const) {
    test(`${path} answers ${what} with ${status}`, async () => {
      await using host = await startTestHost(tested);
      const answer = await ask(host.port, path, { headers: json, body: JSON.stringify(body) });
      assert.equal(answer.status, status, answer.text);
      if (detail) assert.match(String(answer.json().detail), detail);
    });
  }
}

for (const [what, headers, body, status, code] of [
  [
    "form data",
    { "content-type": "application/x-www-form-urlencoded" },
    "a=1",
    415,
    "ERR_MEDIA_TYPE",
  ],
  ["no content-type", {}, "{}", 415, "ERR_MEDIA_TYPE"],
  ["no body", json, "", 400, "ERR_BAD_REQUEST"],
  ["broken JSON", json, "{oops", 400, "ERR_BAD_REQUEST"],
] as const) {
  test(`${what} in place of JSON is ${status}`, async () => {
    await using host = await startTestHost(tested);
    const answer = await ask(host.port, "/api/json", { method: "POST", headers, body });
    assert.equal(answer.status, status);
    assert.equal(answer.json().code, code);
  });
}

test("a HostError is answered with its status, any other error with 500 and logged once with its stack", async () => {
  await using host = await startTestHost(tested);
  const missing = await ask(host.port, "/api/missing");
  assert.equal(missing.status, 404);
  assert.equal(missing.json().detail, "there is no order 7");
  for (const path of ["/api/throws", "/api/circular"]) {
    const failed = await ask(host.port, path);
    assert.equal(failed.status, 500);
    assert.equal(failed.headers["content-type"], "application/problem+json");
    assert.doesNotMatch(failed.text, /secret|circular/);
  }
  const lines = host.logs.filter(({ msg }) => msg === "failed unexpectedly");
  assert.equal(lines.length, 2);
  assert.match(JSON.stringify(lines[0]?.err), /secret detail.*handler\.test\.ts/);
});

test("a route that never answers is answered with 504 at its deadline", async () => {
  await using host = await startTestHost(tested, { env: { DEADLINE_MS: "50" } });
  const answer = await ask(host.port, "/api/endless");
  assert.equal(answer.status, 504);
  assert.equal(answer.json().code, "ERR_DEADLINE");
});

test("a handler greets only if it is a greeter", async () => {
  await using host = await startTestHost(tested);
  assert.equal((await ask(host.port, "/api/greeting")).status, 404);
});

test("callees are called by name, over their protocol, and their failures are led by the path of hops", async () => {
  const below = handler({
    name: "below",
    routes: {
      "POST /api/double": {
        body: { type: "object" },
        handle: async ({ body }) => ({ body: { doubled: body.value * 2 } }),
      },
      "GET /api/fails": {
        handle: async () => {
          throw new HostError("ERR_NOT_FOUND", "below: nothing here");
        },
      },
    },
  });
  await using leaf = await startTestHost(greeter({ name: "leaf", greeting: "hi" }));
  await using middle = await startTestHost(below);
  const root = handler({
    name: "root",
    calls: [grpc("leaf"), http("below")],
    routes: {
      "GET /api/all": {
        async handle({ callees }) {
          const [greeting] = await callees.leaf.greetings();
          const { json } = await callees.below.request("POST /api/double", { value: 21 });
          return { body: { greeting: greeting?.message, doubled: json.doubled } };
        },
      },
      "GET /api/fails": {
        handle: async ({ callees }) => ({ body: await callees.below.request("GET /api/fails") }),
      },
    },
  });
  await using host = await startTestHost(root, {
    callees: { leaf: leaf.address, below: middle.address },
  });
  assert.deepEqual((await ask(host.port, "/api/all")).json(), { greeting: "hi", doubled: 42 });
  const failed = await ask(host.port, "/api/fails");
  assert.partialDeepStrictEqual(failed.json(), {
    status: 404,
    detail: "root > below: nothing here",
  });
});

test("a JSON Schema that is none stops the start, and names its route", async () => {
  const wrong = handler({
    name: "wrong",
    routes: { "POST /api/x": { body: { type: "nonsense" }, handle: async () => undefined } },
  });
  await assert.rejects(startTestHost(wrong), {
    code: "ERR_CONFIG",
    message: /POST \/api\/x: the body's JSON Schema is wrong/,
  });
});
