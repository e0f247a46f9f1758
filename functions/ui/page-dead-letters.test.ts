/** A queue's dead letters on the page, in a real Chromium: what is listed, and what a retry shows. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { seriousViolations, type WatchedPage, withoutBrowser } from "../test/support/browser.ts";
import { liveGraph } from "../test/support/page-server.ts";
import { usePages } from "../test/support/pages.ts";
import { until } from "../test/support/until.ts";
import type { DeadLetter } from "./live.ts";

const skip = await withoutBrowser();
const queue = "service-d";
const traceId = "e".repeat(32);
const hostile = "<img src=x onerror=document.title='bad'>";

function letter(id: string, more: Partial<DeadLetter> = {}): DeadLetter {
  const about = { type: "t", source: "/s", reason: `400: no ${id}`, time: "2026-11-25T07:10:51Z" };
  return { queue, id, ...about, attempts: 2, retries: 1, traceId, bytes: 9, ...more };
}

const parts = (page: Page) => ({
  section: page.locator("#dead-letters"),
  items: page.locator("#dead-letters-list > li"),
  count: page.locator("#dead-letters-count"),
  result: page.locator("#dead-letters-result"),
});

describe("dead letters on the page", { skip }, () => {
  const pages = usePages();
  const { hits } = pages;

  /** What the graph says of the queue, and what its list holds. */
  const serve = (letters: readonly DeadLetter[], total = letters.length, shown = total) => {
    pages.server.deadLetters.lists = [
      { queue: "another", total: 1, letters: [letter("of another queue")] },
      { queue, total, letters },
    ];
    show(shown);
  };
  const show = (deadLetters: number) =>
    pages.server.show(
      liveGraph((name) => (name === `rabbitmq:${queue}` ? { depth: 0, deadLetters } : {})),
    );
  const openQueue = async (options?: Parameters<typeof pages.open>[0]): Promise<WatchedPage> => {
    const watched = await pages.open(options);
    await hits(watched.page, `queue ${queue}, `).click();
    return watched;
  };
  const asked = () => pages.server.deadLetters.asked;
  const retried = (...letters: DeadLetter[]) => {
    pages.server.deadLetters.answer = { status: 200, body: { retried: letters } };
  };

  beforeEach(() => {
    asked().length = 0;
    retried();
  });

  test("are listed for the selected queue alone, with what is known of each, the oldest first", async () => {
    serve([letter("e0"), letter("e1", { attempts: null, retries: 0, time: null, traceId: null })]);
    const { page, complaints } = await openQueue({ timezoneId: "Asia/Tokyo" });
    const { section, items, count } = parts(page);
    await items.nth(1).waitFor();
    const texts = (at: number) =>
      items.nth(at).locator("h4, .reason, time, span, .link").allTextContents();
    assert.deepEqual(await texts(0), [
      ...["e0", "400: no e0", "2026-11-25 16:10:51.0"],
      ...["2 deliveries, 1 retry", `trace ${traceId}`],
    ]);
    assert.deepEqual(await texts(1), ["e1", "400: no e1"]);
    assert.equal(await items.count(), 2);
    assert.equal(await count.textContent(), "2");
    await section.getByText("npm run dead-letters -- drop ID --queue service-d").waitFor();
    await hits(page, "dead letters: 2").waitFor();
    await hits(page, "service-g, ").click();
    await section.waitFor({ state: "hidden" });
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  test("that are more than the list holds are counted", async () => {
    serve([letter("e0")], 123);
    const { page } = await openQueue();
    await parts(page)
      .count.filter({ hasText: /^1 of 123$/ })
      .waitFor();
    await page.context().close();
  });

  test("lead to the trace of their last delivery", async () => {
    serve([letter("e0")]);
    const { page } = await openQueue();
    await page.getByRole("button", { name: `Show the trace ${traceId} of e0` }).click();
    await page.locator("#waterfall-facts .trace-id", { hasText: traceId }).waitFor();
    await page.context().close();
  });

  test("are not asked for where there are none, nor of what is not selected", async () => {
    serve([letter("e0")], 1, 0);
    const { page } = await openQueue();
    await page.locator("#panel-title", { hasText: `queue ${queue}` }).waitFor();
    await hits(page, "service-g, ").click();
    show(1);
    await hits(page, "dead letters: 1").waitFor();
    assert.equal(await parts(page).section.isVisible(), false);
    assert.deepEqual(asked(), []);
    await page.context().close();
  });

  test("are retried one by one; then the list is asked for anew, and the focus is on the next", async () => {
    serve([letter("e0"), letter("e1")]);
    const { page } = await openQueue();
    const { section, items, result, count } = parts(page);
    for (const [id, left] of [
      ["e0", [letter("e1")]],
      ["e1", []],
    ] as const) {
      const button = page.getByRole("button", { name: `Retry ${id}`, exact: true });
      await button.focus();
      retried(letter(id));
      pages.server.deadLetters.lists = [{ queue, total: left.length, letters: left }];
      await page.keyboard.press("Enter");
      await button.waitFor({ state: "detached" });
      await result.filter({ hasText: /^1 retried$/ }).waitFor();
      await page.locator("#announcements", { hasText: "1 retried" }).waitFor({ state: "attached" });
      const focused = left.length > 0 ? "button[aria-label='Retry e1']:focus" : "h3:focus";
      await section.locator(focused).waitFor();
      show(left.length);
    }
    assert.deepEqual(
      asked().filter((one) => one !== "list"),
      ["queue=service-d&id=e0", "queue=service-d&id=e1"],
    );
    assert.equal(await items.count(), 0);
    await count.filter({ hasText: /^none$/ }).waitFor();
    assert.equal(await page.getByRole("button", { name: /^Retry/ }).count(), 0);
    await page.context().close();
  });

  test("are retried all at once", async () => {
    serve([letter("e0"), letter("e1")]);
    const { page } = await openQueue();
    retried(letter("e0"), letter("e1"));
    pages.server.deadLetters.lists = [{ queue, total: 0, letters: [] }];
    await page.getByRole("button", { name: `Retry all of queue ${queue}` }).click();
    await parts(page)
      .result.filter({ hasText: /^2 retried$/ })
      .waitFor();
    assert.ok(asked().includes("queue=service-d"), asked().join());
    await page.context().close();
  });

  test("that cannot be retried stay, and the page shows why", async () => {
    serve([letter("e0")]);
    const { page } = await openQueue();
    const detail = "there is no dead letter e0, or not any more";
    pages.server.deadLetters.answer = { status: 404, body: { title: "Not Found", detail } };
    await page.getByRole("button", { name: "Retry e0" }).click();
    const { result, items } = parts(page);
    await result.filter({ hasText: `Retry failed: ${detail}` }).waitFor();
    await page.locator("#announcements", { hasText: detail }).waitFor({ state: "attached" });
    assert.equal(await items.count(), 1);
    await page.context().close();
  });

  test("that fail again come back to the list, though the queue's number was never another", async () => {
    serve([letter("e0")]);
    const { page } = await openQueue();
    const { items } = parts(page);
    const { deadLetters } = pages.server;
    deadLetters.lists = [{ queue, total: 0, letters: [] }];
    await page.getByRole("button", { name: "Retry e0" }).click();
    await items.first().waitFor({ state: "detached" });
    deadLetters.lists = [{ queue, total: 1, letters: [letter("e0", { retries: 2 })] }];
    await items.filter({ hasText: "2 retries" }).waitFor();
    await page.context().close();
  });

  test("are asked for again when the queue's number changes, and not while it stays", async () => {
    serve([letter("e0")]);
    const { page } = await openQueue();
    const { items } = parts(page);
    await items.first().waitFor();
    // Longer than the list waits between two questions.
    await page.waitForTimeout(4_000);
    assert.deepEqual(asked(), ["list"]);
    await page.getByRole("button", { name: "Retry e0" }).focus();
    serve([letter("e0"), letter("e1")]);
    await items.nth(1).waitFor();
    assert.equal(await items.first().locator("button:focus").count(), 1, "the focus stays");
    assert.deepEqual(asked(), ["list", "list"]);
    await page.context().close();
  });

  test("show hostile ids, reasons, times and traces as text", async () => {
    serve([letter(hostile, { reason: hostile, time: hostile, traceId: hostile })]);
    const { page, complaints } = await openQueue();
    const { items } = parts(page);
    await items.locator("h4", { hasText: hostile }).waitFor();
    await items.locator(".reason", { hasText: hostile }).waitFor();
    await items.locator("time", { hasText: hostile }).waitFor();
    await page.getByRole("button", { name: `Retry ${hostile}` }).click();
    const query = new URLSearchParams({ queue, id: hostile });
    await until("the retry", () => asked().includes(String(query)));
    assert.equal(await page.locator("img").count(), 0);
    assert.notEqual(await page.title(), "bad");
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  for (const colorScheme of ["light", "dark"] as const) {
    test(`have nothing that axe-core finds serious, in ${colorScheme} at 400 px, and no sideways scrolling`, async () => {
      const long = "x".repeat(300);
      const many = Array.from({ length: 20 }, (_, i) => letter(`${long} ${i}`, { reason: long }));
      serve([...many, letter("e0")]);
      const { page } = await openQueue({ colorScheme, viewport: { width: 400, height: 900 } });
      await parts(page).items.last().waitFor();
      assert.deepEqual(await seriousViolations(page), []);
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 400);
      await page.context().close();
    });
  }
});

describe("the page where dead letters are not offered", { skip }, () => {
  const pages = usePages({ deadLetters: false });

  test("shows no dead letters, and asks for none", async () => {
    pages.server.show(
      liveGraph((name) => (name === `rabbitmq:${queue}` ? { deadLetters: 1 } : {})),
    );
    const { page, complaints } = await pages.open();
    await pages.hits(page, `queue ${queue}, `).click();
    await page.locator("#panel-state", { hasText: "dead letters: 1" }).waitFor();
    assert.equal(await parts(page).section.isVisible(), false);
    assert.deepEqual(pages.server.deadLetters.asked, []);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });
});
