/** The page in a real Chromium, with figures that the test chooses: what the real graph does not do on demand. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { withoutBrowser } from "../test/support/browser.ts";
import { liveGraph } from "../test/support/page-server.ts";
import { usePages } from "../test/support/pages.ts";
import { until } from "../test/support/until.ts";
import { buildPage } from "./build-page.ts";
import { noFigures, type Trace } from "./live.ts";

const skip = await withoutBrowser();
const hostile = "<img src=x onerror=document.title='bad'>";

test("the page's files hold no script and no style inline, and name no other host", async () => {
  const files = await buildPage();
  assert.deepEqual([...files.keys()].sort(), [
    "app.css",
    "app.js",
    "first-paint.js",
    "icon.svg",
    "index.html",
  ]);
  const html = Buffer.from(files.get("index.html")?.bytes ?? []).toString();
  assert.doesNotMatch(html, /<style|style=|<script>|\son\w+=|https?:/);
  const css = Buffer.from(files.get("app.css")?.bytes ?? []).toString();
  assert.doesNotMatch(css, /url\(|@import/);
});

describe("the page", { skip }, () => {
  const pages = usePages();
  const { open, hits } = pages;

  test("is reached by keyboard alone: one stop for the graph, arrows within, Enter selects", async () => {
    const { page } = await open();
    await hits(page, "gateway, ").focus();
    for (const [key, reached] of [
      ["ArrowRight", "gateway to service-a"],
      ["ArrowRight", "service-a, "],
      ["ArrowLeft", "gateway to service-a"],
    ] as const) {
      await page.keyboard.press(key);
      await page.locator("#hits button:focus", { hasText: reached }).waitFor();
    }
    await page.keyboard.press("Enter");
    await page.locator("#panel-title", { hasText: "gateway to service-a" }).waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await page.locator("#hits button:focus").count(), 0);
    await page.context().close();
  });

  test("says that the connection is lost, and is live again by itself", async () => {
    const { page } = await open();
    await page.locator("#connection", { hasText: /^Live$/ }).waitFor();
    pages.server.breakOff(true);
    await page.locator("#connection", { hasText: "Connection lost, trying again" }).waitFor();
    await page
      .locator("#announcements", { hasText: "Connection lost" })
      .waitFor({ state: "attached" });
    pages.server.breakOff(false);
    await page.locator("#connection", { hasText: /^Live$/ }).waitFor();
    await page.context().close();
  });

  test("shows hostile names, errors and greetings as text", async () => {
    const graph = liveGraph();
    const traceId = "c".repeat(32);
    pages.server.show({ ...graph, nodes: [...graph.nodes, { ...hostileNode }] });
    pages.server.traces = [{ ...hostileTrace, traceId }];
    pages.server.answer = {
      status: 200,
      body: { greeting: [{ id: hostile, service: hostile, message: hostile, created: hostile }] },
    };
    const { page, complaints } = await open();
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.locator("#greetings td", { hasText: hostile }).first().waitFor();
    await page.locator("#requests button").first().click();
    await page.locator("#waterfall-spans b", { hasText: hostile }).waitFor();
    assert.equal(await page.locator("img").count(), 0);
    assert.notEqual(await page.title(), "bad");
    assert.deepEqual(complaints, []);
    pages.server.show(graph);
    pages.server.traces = [];
    await page.context().close();
  });

  test("names a problem's hops one by one", async () => {
    pages.server.answer = {
      status: 503,
      body: { title: "Callee Unavailable", detail: "service-a > service-b: unreachable" },
    };
    const { page } = await open();
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.locator("#result .hops li", { hasText: "service-b" }).waitFor();
    await page.locator("#result .reason", { hasText: /^unreachable$/ }).waitFor();
    await page.context().close();
  });

  test("sends the chosen protocol and faults, numbered where there is a seed", async () => {
    const { page } = await open();
    await page.getByRole("radio", { name: "http" }).check();
    await page.locator("#faults summary").click();
    await page.locator("#fault-target").selectOption("service-g");
    await page.locator("#fault-percent").fill("50");
    await page.locator("#fault-seed").fill("42");
    await page.getByRole("button", { name: "Add fault" }).click();
    await page.locator("#fault-target").selectOption("service-c");
    await page.locator("#fault-action").selectOption("delay");
    await page.locator("#fault-percent").fill("100");
    await page.getByRole("button", { name: "Add fault" }).click();
    const header = "service-g=503@50%, service-c=delay:800ms, seed=42";
    await page.locator("#fault-header", { hasText: header }).waitFor();
    for (const number of [1, 2]) {
      const before = pages.server.asked.length;
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await until("the gateway is asked", () => pages.server.asked.length > before);
      assert.partialDeepStrictEqual(pages.server.asked.at(-1), {
        "x-call-protocol": "http",
        "x-fault": header,
        "x-request-id": `page-42-${number}`,
      });
    }
    await page.context().close();
  });

  test("sends a steady load, and ends it when the page is hidden", async () => {
    const { page } = await open();
    const before = pages.server.asked.length;
    await page.locator("#load").fill("20");
    await until("some are sent", () => pages.server.asked.length > before + 5);
    await page.evaluate(
      "Object.defineProperty(document, 'hidden', { get: () => true }); document.dispatchEvent(new Event('visibilitychange'));",
    );
    await page.locator("#load-output", { hasText: "off, the page was hidden" }).waitFor();
    assert.equal(await page.locator("#load").inputValue(), "0");
    await page.context().close();
  });
});

const hostileNode = {
  name: hostile,
  kind: "greeter",
  state: "ready",
  figures: noFigures,
} as const;

const hostileTrace: Omit<Trace, "traceId"> = {
  name: hostile,
  startedAt: new Date(0).toISOString(),
  durationMs: 1,
  spans: 1,
  failed: true,
  timeline: [
    {
      spanId: "a",
      parentSpanId: null,
      service: hostile,
      name: hostile,
      kind: "server",
      offsetMs: 0,
      durationMs: 1,
      error: hostile,
      attributes: { [hostile]: hostile },
      events: [{ name: hostile, offsetMs: 0 }],
      links: [],
    },
  ],
};
