/** Which files come and go, and what is refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { publishTo } from "#host";
import { copyManifests } from "../../../test/support/generated.ts";
import {
  deployable,
  inOrder,
  ordersAndInvoices,
  platformFunctions,
  withDeploy,
} from "../../../test/support/orders.ts";

const functions = await platformFunctions();

describe("generating", () => {
  test("changes nothing where nothing has changed", async () => {
    await using copy = await copyManifests();
    await copy.generate(functions);
    const before = await copy.content();
    await copy.generate(functions);
    assert.deepEqual(await copy.content(), before);
  });

  test("leaves nothing of functions and queues that are gone", async () => {
    await using copy = await copyManifests();
    await copy.generate(functions);
    const before = await copy.content();
    await copy.generate(inOrder([...functions, ...ordersAndInvoices]));
    const between = await copy.content();
    assert.ok(between.has("knative/base/orders.yaml"));
    assert.match(between.get("skaffold.yaml") ?? "", /FUNCTION: invoices/);
    assert.match(
      between.get("knative/components/bridge/kustomization.yaml") ?? "",
      /orders-source/,
    );
    await copy.generate(functions);
    assert.deepEqual(await copy.content(), before);
  });

  test("takes the queues' files away with the last queue", async () => {
    await using copy = await copyManifests();
    await copy.generate(functions.filter(({ name }) => !["service-d", "service-f"].includes(name)));
    const content = await copy.content();
    assert.ok(!content.has("knative/base/queue.yaml") && !content.has("knative/base/source.yaml"));
    assert.doesNotMatch(
      content.get("knative/base/kustomization.yaml") ?? "",
      /(queue|source)\.yaml/,
    );
    await copy.generate(functions);
    assert.ok((await copy.content()).has("knative/base/queue.yaml"));
  });

  for (const [what, more, ...problems] of [
    [
      "a function that would have a source's account",
      [deployable("service-d-source", {})],
      /ServiceAccount service-d-source of knative\/base\/source.yaml is in .*service-d-source.yaml too/,
    ],
    [
      "a function whose file is written by hand",
      [deployable("namespace", {})],
      /^functions\/namespace\/index.ts: knative\/base\/namespace.yaml is there already/m,
    ],
    [
      "a function whose policy would be the one for all",
      [deployable("deny-by-default", {})],
      /AuthorizationPolicy deny-by-default .* is in istio\/base\/authorization.yaml too/,
    ],
    [
      "queues that differ in a dot only",
      [
        deployable("one", { effects: { a: publishTo("a.b"), b: publishTo("a-b") } }),
        deployable("two", { from: "a.b", on: { "*": async () => {} } }),
        deployable("three", { from: "a-b", on: { "*": async () => {} } }),
      ],
      /RabbitmqSource a-b/,
      /ServiceAccount a-b-source/,
    ],
    [
      "two functions of one address",
      [withDeploy("shop", { public: true, subdomain: "api" })],
      /DomainMapping api.prod.example-api.com/,
    ],
  ] as const) {
    test(`refuses ${what}`, async () => {
      await using copy = await copyManifests();
      const before = await copy.content();
      const generating = copy.generate(inOrder([...functions, ...more]));
      for (const problem of problems) await assert.rejects(generating, { message: problem });
      assert.deepEqual(await copy.content(), before);
    });
  }
});
