/** How the page looks: on screens of several sizes, as tables, in motion, as files, in a chosen theme. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { seriousViolations, withoutBrowser } from "../test/support/browser.ts";
import { liveGraph } from "../test/support/page-server.ts";
import { usePages } from "../test/support/pages.ts";
import { until } from "../test/support/until.ts";
import { noFigures, type Trace, type TraceSpan } from "./live.ts";

const skip = await withoutBrowser();
const busy = { ...noFigures, requests: 40, requestsPerSecond: 4, p50: 5, p95: 12, p99: 30 };

/** A graph with all that can be marked: errors, a stopped function, one that is not ready, messages that wait. */
const failing = liveGraph(
  (name) => ({
    figures: name === "service-c" ? busy : { ...busy, errorShare: 0.5 },
    ...(name === "service-g" && { state: "stopped" }),
    ...(name === "service-h" && { state: "not ready" }),
    ...(name === "rabbitmq:service-d" && { depth: 3 }),
  }),
  (from) => (from === "service-c" ? {} : { ...busy, errorShare: from === "service-e" ? 0.5 : 0 }),
);

const publish: TraceSpan = {
  spanId: "a",
  parentSpanId: null,
  service: "service-d",
  name: "publish service-d",
  kind: "producer",
  offsetMs: 0,
  durationMs: 3,
  error: null,
  attributes: { "messaging.system.name": "rabbitmq" },
  events: [],
  links: [],
};

const failedTrace: Trace = {
  traceId: "d".repeat(32),
  name: "GET /api/greeting",
  startedAt: new Date(0).toISOString(),
  durationMs: 9,
  spans: 2,
  failed: true,
  timeline: [
    publish,
    {
      ...publish,
      spanId: "b",
      parentSpanId: "a",
      service: "bridge",
      name: "process service-d",
      kind: "consumer",
      offsetMs: 4,
      error: "service-f: unreachable",
      events: [{ name: "fault.injected", offsetMs: 5 }],
    },
  ],
};

/** How much of the page has moved since it was opened, by the browser's own measure. */
const shifts = `new Promise((resolve) => {
  new PerformanceObserver((list) => {
    resolve(list.getEntries().reduce((sum, { value }) => sum + value, 0));
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(0), 500);
})`;

describe("the page's view of the graph", { skip }, () => {
  const pages = usePages({ control: true, kialiUrl: "http://127.0.0.1:1/kiali" });
  const { open, hits } = pages;

  before(() => {
    pages.server.traces = [failedTrace];
    pages.server.answer = {
      status: 503,
      body: { title: "Callee Unavailable", detail: "service-a > service-b: unreachable" },
    };
  });

  for (const [width, direction] of [
    [400, "TB"],
    [1_024, "TB"],
    [1_920, "LR"],
  ] as const) {
    test(`has no sideways scrolling at ${width} px, and moves nothing when the graph comes`, async () => {
      const { page } = await open({ viewport: { width, height: 900 } });
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), width);
      const moved = Number(await page.evaluate(shifts));
      assert.ok(moved < 0.02, `${moved}`);
      const box = async (text: string) =>
        (await hits(page, text).boundingBox()) ?? assert.fail(text);
      const [first, last] = [await box("gateway, "), await box("service-f.messages, ")];
      if (direction === "LR") assert.ok(last.x > first.x + first.width);
      else assert.ok(last.y > first.y + first.height);
      await page.context().close();
    });
  }

  test("shows the graph as tables with all figures, and nothing of it by colour alone", async () => {
    pages.server.show(
      liveGraph(undefined, (from) => (from === "service-e" ? { ...busy, errorShare: 0.5 } : {})),
    );
    const { page } = await open();
    await page.getByRole("radio", { name: "Table" }).check();
    const row = page.locator("#graph-tables tr", { hasText: "service-e to service-g" });
    await row.locator("td").nth(5).filter({ hasText: "50%" }).waitFor();
    assert.deepEqual(await row.locator("td").allTextContents(), [
      "gRPC",
      "4.0/s",
      "5.0 ms",
      "12 ms",
      "30 ms",
      "50%",
    ]);
    await row.getByRole("button").click();
    await page.locator("#panel-title", { hasText: "service-e to service-g" }).waitFor();
    await page.context().close();
  });

  for (const colorScheme of ["light", "dark"] as const) {
    test(`has nothing that axe-core finds serious, in ${colorScheme}`, async () => {
      pages.server.show(failing);
      const { page } = await open({ colorScheme });
      await page.locator("#faults summary").click();
      await page.getByRole("button", { name: "Add fault" }).click();
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await page.locator("#result .hops").waitFor();
      await hits(page, "service-g, Function, stopped").click();
      await page.locator("#panel-state[data-state=stopped]").waitFor();
      assert.deepEqual(await seriousViolations(page), []);
      await page.getByRole("radio", { name: "Table" }).check();
      assert.deepEqual(await seriousViolations(page), []);
      await page.locator("#requests button").click();
      await page.locator("#waterfall-spans summary").first().click();
      assert.deepEqual(await seriousViolations(page), []);
      await page.context().close();
      pages.server.show(liveGraph());
    });
  }

  test("moves dots along the edges, and none for those who asked for less motion", async () => {
    const painted = (page: Page) =>
      page.evaluate(`(() => {
        const canvas = document.getElementById("traffic");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value) => value !== 0);
      })()`);
    pages.server.show(liveGraph(undefined, () => busy));
    const { page } = await open();
    await until("a dot", () => painted(page));
    await page.emulateMedia({ reducedMotion: "reduce" });
    await until("no dot", async () => !(await painted(page)));
    await page.context().close();
    pages.server.show(liveGraph());
  });

  test("exports the graph as PNG and as JSON", async () => {
    const { page, complaints } = await open();
    const file = async (name: string) => {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: `Export the graph as ${name}` }).click(),
      ]);
      return readFile(await download.path());
    };
    const png = await file("PNG");
    assert.equal(png.subarray(1, 4).toString(), "PNG");
    assert.ok(png.length > 10_000, `${png.length} bytes`);
    const { nodes, edges } = JSON.parse((await file("JSON")).toString());
    assert.equal(edges.length, 14);
    assert.ok(nodes.some(({ name }: { name: string }) => name === "service-a"));
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  test("keeps the theme that was chosen", async () => {
    const { page } = await open({ colorScheme: "light" });
    const background = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    const light = await background();
    const button = page.getByRole("button", { name: /^Theme/ });
    await button.click();
    await button.click();
    await button.filter({ hasText: "dark" }).waitFor();
    const dark = await background();
    assert.notEqual(dark, light);
    await page.reload();
    assert.equal(await background(), dark);
    await page.context().close();
  });
});
