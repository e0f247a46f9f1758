/** The page with functions of one's own, in a real Chromium: how they are drawn, and what can be sent to them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { withoutBrowser } from "../test/support/browser.ts";
import { liveGraph } from "../test/support/page-server.ts";
import { usePages } from "../test/support/pages.ts";
import { until } from "../test/support/until.ts";
import { noFigures } from "./live.ts";

const skip = await withoutBrowser();
const hostile = "<img src=x onerror=document.title='bad'>";

describe("the page with handlers", { skip }, () => {
  const pages = usePages();
  const { open, hits } = pages;

  test("sends to a handler's declared route, with a body made from its schema", async () => {
    const { nodes, edges } = pages.server.graph;
    const properties = { item: { type: "string" }, count: { type: "integer", minimum: 1 } };
    pages.server.graph = {
      edges,
      nodes: [
        ...nodes,
        {
          name: "orders",
          kind: "handler",
          routes: [
            { method: "POST", path: "/api/orders", body: { type: "object", properties } },
            { method: "GET", path: "/api/orders/{id}" },
            { method: "POST", path: "/" },
          ],
        },
      ],
    };
    pages.server.answer = { status: 201, body: { id: 7, item: hostile } };
    const { page, complaints } = await open();
    const target = page.locator("#target");
    const send = async () => {
      const before = pages.server.sent.length;
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await until("the gateway is asked", () => pages.server.sent.length > before);
      return pages.server.sent.at(-1);
    };
    await target.selectOption("orders: POST /api/orders");
    const body = page.locator("#target-body");
    assert.deepEqual(JSON.parse(await body.inputValue()), { item: "", count: 1 });
    await body.fill('{"item":"a chair","count":2}');
    assert.deepEqual(await send(), {
      route: "POST /api/services/orders/api/orders",
      body: '{"item":"a chair","count":2}',
    });
    assert.equal(pages.server.asked.at(-1)?.["content-type"], "application/json");
    await page.locator("#result b", { hasText: /^201$/ }).waitFor();
    await page.locator("#result pre", { hasText: `"item": "${hostile}"` }).waitFor();

    await target.selectOption("orders: GET /api/orders/{id}");
    await body.waitFor({ state: "hidden" });
    await page.locator("#target-path").fill("/api/services/orders/api/orders/7");
    assert.deepEqual(await send(), { route: "GET /api/services/orders/api/orders/7", body: "" });

    await target.selectOption("orders: an event");
    assert.equal((await send())?.route, "POST /api/services/orders/");
    assert.equal(pages.server.asked.at(-1)?.["content-type"], "application/cloudevents+json");

    await target.selectOption("the whole graph: GET /api/greeting");
    await page.locator("#target-path").waitFor({ state: "hidden" });
    assert.deepEqual(await send(), { route: "GET /api/greeting", body: "" });
    assert.equal(await page.locator("img").count(), 0);
    assert.deepEqual(complaints, []);
    pages.server.graph = { nodes, edges };
    await page.context().close();
  });

  test("draws handlers and plain functions as functions, which can be selected and made to fail", async () => {
    const graph = liveGraph();
    const own = [
      { name: "orders", kind: "handler", state: "ready", figures: noFigures },
      { name: "plain", kind: "function", state: "stopped", figures: noFigures },
    ] as const;
    pages.server.show({ ...graph, nodes: [...graph.nodes, ...own] });
    const { page, complaints } = await open();
    await hits(page, "plain, Function, stopped").click();
    await page.locator("#panel-title", { hasText: "plain" }).waitFor();
    await hits(page, "orders, Function, ready").click();
    await page.locator("#panel-kind", { hasText: "Function" }).waitFor();
    await page.locator("#faults summary").click();
    for (const { name } of own) await page.locator("#fault-target").selectOption(name);
    assert.deepEqual(complaints, []);
    pages.server.show(graph);
    await page.context().close();
  });
});
