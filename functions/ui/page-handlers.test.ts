/** The page with functions of one's own, in a real Chromium: how they are drawn, and what can be sent to them. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { openPage, startBrowser, untilDrawn, withoutBrowser } from "../test/support/browser.ts";
import { liveGraph, type PageServer, startPageServer } from "../test/support/page-server.ts";
import { until } from "../test/support/until.ts";
import { noFigures } from "./live.ts";

const skip = await withoutBrowser();
const hostile = "<img src=x onerror=document.title='bad'>";

describe("the page with handlers", { skip }, () => {
  let browser: Browser;
  let server: PageServer;
  const open = async () => {
    const watched = await openPage(browser, server.url);
    await untilDrawn(watched.page);
    return watched;
  };

  const hits = (page: Page, text: string) => page.locator("#hits button", { hasText: text });

  before(async () => {
    browser = await startBrowser();
    server = await startPageServer();
  });
  after(async () => {
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
  });

  test("sends to a handler's declared route, with a body made from its schema", async () => {
    const { nodes, edges } = server.graph;
    const properties = { item: { type: "string" }, count: { type: "integer", minimum: 1 } };
    server.graph = {
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
    server.answer = { status: 201, body: { id: 7, item: hostile } };
    const { page, complaints } = await open();
    const target = page.locator("#target");
    const send = async () => {
      const before = server.sent.length;
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await until("the gateway is asked", () => server.sent.length > before);
      return server.sent.at(-1);
    };
    await target.selectOption("orders: POST /api/orders");
    const body = page.locator("#target-body");
    assert.deepEqual(JSON.parse(await body.inputValue()), { item: "", count: 1 });
    await body.fill('{"item":"a chair","count":2}');
    assert.deepEqual(await send(), {
      route: "POST /api/services/orders/api/orders",
      body: '{"item":"a chair","count":2}',
    });
    assert.equal(server.asked.at(-1)?.["content-type"], "application/json");
    await page.locator("#result b", { hasText: /^201$/ }).waitFor();
    await page.locator("#result pre", { hasText: `"item": "${hostile}"` }).waitFor();

    await target.selectOption("orders: GET /api/orders/{id}");
    await body.waitFor({ state: "hidden" });
    await page.locator("#target-path").fill("/api/services/orders/api/orders/7");
    assert.deepEqual(await send(), { route: "GET /api/services/orders/api/orders/7", body: "" });

    await target.selectOption("orders: an event");
    assert.equal((await send())?.route, "POST /api/services/orders/");
    assert.equal(server.asked.at(-1)?.["content-type"], "application/cloudevents+json");

    await target.selectOption("the whole graph: GET /api/greeting");
    await page.locator("#target-path").waitFor({ state: "hidden" });
    assert.deepEqual(await send(), { route: "GET /api/greeting", body: "" });
    assert.equal(await page.locator("img").count(), 0);
    assert.deepEqual(complaints, []);
    server.graph = { nodes, edges };
    await page.context().close();
  });

  test("draws handlers and plain functions as functions, which can be selected and made to fail", async () => {
    const graph = liveGraph();
    const own = [
      { name: "orders", kind: "handler", state: "ready", figures: noFigures },
      { name: "plain", kind: "function", state: "stopped", figures: noFigures },
    ] as const;
    server.show({ ...graph, nodes: [...graph.nodes, ...own] });
    const { page, complaints } = await open();
    await hits(page, "plain, Function, stopped").click();
    await page.locator("#panel-title", { hasText: "plain" }).waitFor();
    await hits(page, "orders, Function, ready").click();
    await page.locator("#panel-kind", { hasText: "Function" }).waitFor();
    await page.locator("#faults summary").click();
    for (const { name } of own) await page.locator("#fault-target").selectOption(name);
    assert.deepEqual(complaints, []);
    server.show(graph);
    await page.context().close();
  });
});
