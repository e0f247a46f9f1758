/**
 * `npm run screenshots`: the pictures of the README, taken of the real graph under a little load, into
 * functions/ui/pictures. Needs a Chromium.
 */
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { openPage, startBrowser, untilDrawn } from "../test/support/browser.ts";
import { startTestGraph } from "../test/support/graph.ts";

const folder = join(import.meta.dirname, "pictures");
const mostBytes = 200_000;

const shots = [
  { name: "light", colorScheme: "light", viewport: { width: 1440, height: 1010 }, trace: false },
  { name: "dark", colorScheme: "dark", viewport: { width: 1440, height: 1010 }, trace: false },
  { name: "narrow", colorScheme: "light", viewport: { width: 400, height: 1240 }, trace: false },
  { name: "trace", colorScheme: "dark", viewport: { width: 1280, height: 900 }, trace: true },
] as const;

await mkdir(folder, { recursive: true });
await using system = await startTestGraph();
const browser = await startBrowser();
try {
  for (const { name, colorScheme, viewport, trace } of shots) {
    const url = `http://localhost:${system.graph.addresses.get("ui")}/`;
    const { page } = await openPage(browser, url, { colorScheme, viewport });
    await untilDrawn(page);
    await page.locator("#load").fill("6");
    // So long the window takes to fill.
    await page.waitForTimeout(11_000);
    if (trace) {
      await page.locator("#load").fill("0");
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await page.getByRole("button", { name: "Show its trace" }).click();
      await page.locator("#waterfall-spans .mongodb", { hasText: "service-f" }).first().waitFor();
    }
    await page.evaluate("document.activeElement.blur(), scrollTo(0, 0)");
    const path = join(folder, `${name}.png`);
    await page.screenshot({ path });
    const { size } = await stat(path);
    if (size > mostBytes) throw new Error(`${path} has ${size} bytes, more than ${mostBytes}`);
    process.stdout.write(`${path}: ${size} bytes\n`);
    await page.context().close();
  }
} finally {
  await browser.close();
}
