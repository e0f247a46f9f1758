import assert from "node:assert/strict";
import { test } from "node:test";
import { matchPath } from "#host/http/route";

for (const [template, path, expected] of [
  ["/", "/", {}],
  ["/api/greeting", "/api/greeting", {}],
  ["/api/greeting", "/api/greeting/", undefined],
  ["/api/greeting", "/api", undefined],
  ["/api/greeting", "/API/greeting", undefined],
  ["/", "/api", undefined],
  ["/services/{name}/events", "/services/service-f/events", { name: "service-f" }],
  ["/services/{name}/events", "/services//events", undefined],
  ["/services/{name}/events", "/services/a/b/events", undefined],
  ["/services/{name}", "/services/a%2Fb", { name: "a/b" }],
  ["/services/{name}", "/services/%E2%82%AC", { name: "€" }],
  ["/{one}/{two}", "/1/2", { one: "1", two: "2" }],
] as const) {
  const outcome = expected ? `matches ${path} with ${JSON.stringify(expected)}` : `refuses ${path}`;
  test(`${template} ${outcome}`, () => {
    assert.deepEqual(matchPath(template, path), expected);
  });
}

test("a segment that is not percent-encoded UTF-8 is a bad request", () => {
  assert.throws(() => matchPath("/{name}", "/%ff"), { code: "ERR_BAD_REQUEST" });
});
