// The click host's own pages in a real browser: what stands at its root, and that a link does not work. At phone and desktop width, in
// light and dark, looked over by axe. Set SCREENSHOTS to a directory to look at them yourself.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { ensureChromium } from "../../src/dev/chromium.mjs";
import { startWorker } from "../worker/harness.mjs";
import { assertAccessible } from "./axe.mjs";

const SHOTS = process.env.SCREENSHOTS;
const SETTINGS = { BRAND_NAME: "Sonnenblume", BRAND_COLOR: "#ffd400", ABUSE_CONTACT: "abuse@brand.example" };
const PAGES = { "/": "root", "/c/x": "missing" };

let browser, bare, settled, homely;
before(async () => {
  [bare, settled, homely] = await Promise.all([
    startWorker(),
    startWorker({ vars: SETTINGS }),
    startWorker({ vars: { ...SETTINGS, HOME_URL: "https://brand.example/" } }),
  ]);
  browser = await chromium.launch({ executablePath: await ensureChromium(), args: ["--no-sandbox"] });
});
after(async () => {
  await browser?.close();
  await Promise.all([bare, settled, homely].map((worker) => worker?.close()));
});

const LOOKS = [
  { colorScheme: "light", locale: "en-GB", viewport: { width: 390, height: 844 } },
  { colorScheme: "dark", locale: "de-DE", viewport: { width: 390, height: 844 } },
  { colorScheme: "light", locale: "fr-FR", viewport: { width: 1280, height: 800 } },
  { colorScheme: "dark", locale: "pl-PL", viewport: { width: 1280, height: 800 } },
];

for (const { colorScheme, locale, viewport } of LOOKS) {
  test(`the host's pages can be used by everybody: ${colorScheme}, ${viewport.width} px, ${locale}`, async (t) => {
    const context = await browser.newContext({ colorScheme, locale, viewport });
    t.after(() => context.close());
    const page = await context.newPage();
    for (const [at, name] of Object.entries(PAGES)) {
      for (const worker of name === "root" ? [bare, settled] : [bare, homely]) {
        const what = `${name}-${worker === bare ? "bare" : "settled"}-${colorScheme}-${viewport.width}`;
        await page.goto(new URL(at, worker.origin).href);
        assert.equal(await page.locator("html").getAttribute("lang"), locale.slice(0, 2), what);
        const fits = await page.evaluate(() => {
          const { scrollWidth, clientWidth } = document.documentElement;
          return scrollWidth <= clientWidth;
        });
        assert.ok(fits, `${what}: nothing sticks out`);
        assert.equal(await page.locator("a").count(), worker === bare ? 0 : 1, what);
        if (worker !== bare) {
          await page.keyboard.press("Tab");
          const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outline);
          assert.match(outline, /3px/, `${what}: focus shows`);
        }
        await assertAccessible(page, what);
        if (SHOTS) {
          mkdirSync(SHOTS, { recursive: true });
          await page.screenshot({ path: path.join(SHOTS, `${what}.png`) });
        }
      }
    }
  });
}

test("the page of a link that does not work leads to the sender's site, and tells it nothing", async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  let referer;
  await page.route("https://brand.example/", (route) => {
    referer = route.request().headers().referer;
    return route.fulfill({ contentType: "text/html", body: "<h1>Home</h1>" });
  });
  await page.goto(new URL("/c/x", homely.origin).href);
  await page.click("a");
  await page.waitForURL("https://brand.example/");
  assert.equal(referer, undefined);
});
