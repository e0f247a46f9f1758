import { after, before } from "node:test";
import type { Browser, Page } from "playwright-core";
import type { PageSettings } from "../../ui/live.ts";
import { openPage, startBrowser, untilDrawn, type WatchedPage } from "./browser.ts";
import { type PageServer, startPageServer } from "./page-server.ts";

export interface Pages {
  readonly server: PageServer;
  /** A page in a browser context of its own, once its graph is drawn. */
  open(options?: Parameters<typeof openPage>[2]): Promise<WatchedPage>;
  /** The parts of the drawn graph whose names have this text. */
  hits(page: Page, text: string): ReturnType<Page["locator"]>;
}

/** A browser and a page server for the suite that calls it, from its first test to its last. */
export function usePages(settings?: Partial<PageSettings>): Pages {
  let browser: Browser;
  let server: PageServer;
  before(async () => {
    browser = await startBrowser();
    server = await startPageServer(settings);
  });
  after(async () => {
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
  });
  return {
    get server() {
      return server;
    },
    async open(options) {
      const watched = await openPage(browser, server.url, options);
      await untilDrawn(watched.page);
      return watched;
    },
    hits: (page, text) => page.locator("#hits button", { hasText: text }),
  };
}
