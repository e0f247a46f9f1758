import assert from "node:assert/strict";
import { test } from "node:test";
import { greeter, handler, http, publishTo, saveTo, subscriber } from "#host";
import type { Definition } from "#host/kinds/definition";
import { startTestHost } from "../../test/support/test-host.ts";

const handle = async () => undefined;
const on = { "*": async () => {} };
const routes = (...keys: string[]) => ({
  routes: Object.fromEntries(keys.map((key) => [key, { handle }])),
});

const cases: readonly (readonly [what: string, Definition, ...problems: RegExp[]])[] = [
  ["a name with a capital", handler({ name: "Orders" }), /^name "Orders": lower-case/],
  ["a name of 64 letters", handler({ name: "a".repeat(64) }), /63 at most/],
  ["a name that ends in a dash", handler({ name: "a-" }), /^name "a-"/],
  ["a route without a path", handler({ name: "a", ...routes("POST") }), /routes "POST": a method/],
  ["a method that is none", handler({ name: "a", ...routes("LIST /x") }), /routes "LIST \/x"/],
  ["half a parameter", handler({ name: "a", ...routes("GET /{id") }), /segment "\{id"/],
  ["the host's own path", handler({ name: "a", ...routes("GET /readyz") }), /the host's own/],
  [
    "routes that differ by a parameter's name",
    handler({ name: "a", ...routes("GET /{a}", "GET /{b}") }),
    /routes "GET \/\{\}": there are two/,
  ],
  [
    "a route at the place of events",
    handler({ name: "a", on, ...routes("POST /") }),
    /routes "POST \/": there are two/,
  ],
  [
    "a collection without a database",
    greeter({ name: "a", greeting: "", effects: [saveTo("b")] }),
    /saveTo\("b"\): database\.collection/,
  ],
  [
    "a queue with a space",
    greeter({ name: "a", greeting: "", effects: [publishTo("a b")] }),
    /publishTo\("a b"\)/,
  ],
  [
    "an effect twice",
    greeter({ name: "a", greeting: "", effects: [saveTo("a.b"), saveTo("a.b")] }),
    /mongodb "a\.b" is an effect twice/,
  ],
  ["a queue that no event handler takes", handler({ name: "a", from: "q" }), /there is no `on`/],
  [
    "a queue's name in capitals",
    subscriber({ name: "a", greeting: "", from: "Q", effects: [] }),
    /from "Q"/,
  ],
  ["a call of itself", handler({ name: "a", calls: [http("a")] }), /that is itself/],
  ["a callee twice", handler({ name: "a", calls: [http("b"), http("b")] }), /calls "b" twice/],
  [
    "a scale upside down",
    handler({ name: "a", deploy: { scale: { min: 2, max: 1 } } }),
    /min 2 is above max 1/,
  ],
  [
    "several at once",
    handler({ name: "A", from: "q", calls: [http("b"), http("b")], ...routes("X") }),
    /^name/,
    /calls/,
    /from/,
    /routes/,
  ],
  ["nothing wrong", handler({ name: "a", from: "q", on, ...routes("GET /{id}", "PUT /{id}") })],
];

for (const [what, { problems }, ...expected] of cases) {
  test(`${what}: ${expected.length} problems`, () => {
    assert.equal(problems.length, expected.length, problems.join("\n"));
    for (const [i, pattern] of expected.entries()) assert.match(problems[i] ?? "", pattern);
  });
}

test("a host does not start with a declaration that has problems, and names all of them", async () => {
  const wrong = handler({ name: "wrong", from: "Q", ...routes("X") });
  await assert.rejects(startTestHost(wrong), (error: Error & { code?: string }) => {
    assert.equal(error.code, "ERR_CONFIG");
    assert.match(
      error.message,
      /^wrong declaration of wrong:\n- from "Q".*\n- from.*\n- routes "X"/,
    );
    return true;
  });
});
