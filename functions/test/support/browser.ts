/** A real Chromium for the tests of the page: this machine's own, by CHROMIUM_PATH or on PATH. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { aptInstall, whyNoApt } from "../../local/services/apt.ts";
import { which } from "../../local/services/process.ts";

const { env } = process;
const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const axeFile = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/**
 * A test's `skip` where there is no browser. In CI there must be one: as root on Debian it is installed, and elsewhere
 * the tests fail.
 */
export async function withoutBrowser(): Promise<string | false> {
  if (browserFile()) return false;
  if (!env.CI) return "no Chromium: set CHROMIUM_PATH, or install chromium";
  const whyNot = whyNoApt(env);
  if (whyNot) throw new Error(`the page is tested in Chromium, which is not to be had: ${whyNot}`);
  await aptInstall("chromium", [], { env });
  return false;
}

export function browserFile(): string | undefined {
  if (env.CHROMIUM_PATH) return env.CHROMIUM_PATH;
  return names.map((name) => which(name, env)).find((file) => file !== undefined);
}

export function startBrowser(): Promise<Browser> {
  const file = browserFile();
  if (!file) throw new Error("there is no Chromium");
  // It refuses to run its sandbox as root, as it does in containers.
  const root = process.getuid?.() === 0;
  return chromium.launch({ executablePath: file, args: root ? ["--no-sandbox"] : [] });
}

export interface WatchedPage {
  readonly page: Page;
  /** What a person should not find in the browser's console, and errors that were not caught. */
  readonly complaints: string[];
  /** Where the page has sent requests to. */
  readonly origins: Set<string>;
}

/** Opens a page in a context of its own, and keeps what it says and whom it asks. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  const origins = new Set<string>();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error.stack ?? error)));
  page.on("request", (request) => {
    if (!request.url().startsWith("blob:")) origins.add(new URL(request.url()).origin);
  });
  await page.goto(url);
  return { page, complaints, origins };
}

/** Settles when the graph is on the page. */
export async function untilDrawn(page: Page, limitMs = 10_000): Promise<void> {
  await page.locator("#stage[data-drawn=true]").waitFor({ timeout: limitMs });
}

interface AxeResult {
  violations: { id: string; impact: string; help: string; nodes: { html: string }[] }[];
}

/** What axe-core finds serious or critical, each with the element that it is about. */
export async function seriousViolations(page: Page): Promise<string[]> {
  // By the debugger's way in: the page's policy lets no other script in, as it must.
  await page.evaluate(readFileSync(axeFile, "utf8"));
  const { violations } = (await page.evaluate("axe.run()")) as AxeResult;
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`));
}
