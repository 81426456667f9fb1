// The pages of links that act, in a real browser: pressed by hand, by keyboard and without JavaScript, at phone and
// desktop width, in light and dark, and looked over by axe. Set SCREENSHOTS to a directory to look at them yourself.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { ensureChromium } from "../../src/dev/chromium.mjs";
import { freshMessage, listClicks, settledClicks } from "../worker/clicks.mjs";
import { startWorker } from "../worker/harness.mjs";
import { assertAccessible } from "./axe.mjs";

const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1280, height: 800 };
const SHOTS = process.env.SCREENSHOTS;

// A button must be seen on white and on black, whatever the brand.
const BRANDS = [
  { BRAND_NAME: undefined, BRAND_COLOR: undefined },
  { BRAND_NAME: "Käse & Co", BRAND_COLOR: "#1a73e8" },
  { BRAND_NAME: "Sonnenblume", BRAND_COLOR: "#ffd400" },
  { BRAND_NAME: "W".repeat(80), BRAND_COLOR: "#ffffff" },
  { BRAND_NAME: "Nacht", BRAND_COLOR: "#000000" },
  { BRAND_NAME: "Grau", BRAND_COLOR: "#777777" },
];

let browser, worker;
before(async () => {
  worker = await startWorker({ vars: { SETTLE_MS: 0, ...BRANDS[1] } });
  browser = await chromium.launch({ executablePath: await ensureChromium(), args: ["--no-sandbox"] });
});
after(async () => {
  await browser?.close();
  await worker?.close();
});

/** A browser of somebody's own, closed with the test. Its console and network must stay quiet. */
async function visitor(t, options) {
  const context = await browser.newContext({ viewport: PHONE, ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  const asked = [];
  page.on("request", (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
  return { context, page, complaints, asked };
}

async function mintAct(at, kind, more = {}) {
  const message_id = freshMessage(kind);
  const sent_at_ms = Date.now() - 3_600_000;
  const links = [{ link_id: "act", kind, ...more }];
  const { links: minted } = await at.mint({ message_id, recipient_id: "r1", sent_at_ms, links });
  return { message_id, href: minted[0].href };
}

const heading = (page) => page.locator("h1").innerText();

/** What a stamp must be old: here time itself is what is tested. */
const read = () => sleep(1_100);

test("a person presses the button, with the mouse or by keyboard alone", async (t) => {
  for (const javaScriptEnabled of [true, false]) {
    for (const press of [
      (page) => page.click("button"),
      async (page) => {
        await page.keyboard.press("Tab");
        await page.keyboard.press("Enter");
      },
    ]) {
      const { page, context, complaints, asked } = await visitor(t, { javaScriptEnabled, locale: "de-AT" });
      const { message_id, href } = await mintAct(worker, "unsubscribe");
      await page.goto(href);
      assert.equal(await heading(page), "Abmelden?");
      assert.equal(await page.title(), "Abmelden? – Käse & Co");
      await read();
      await press(page);
      await page.getByText("Sie sind abgemeldet").waitFor();
      assert.equal(page.url(), href, "it stays where it is");
      const [act] = await settledClicks(worker, message_id, 1);
      assert.deepEqual([act.kind, act.method, act.act], ["unsubscribe", "POST", "form"]);
      assert.deepEqual(
        [act.sec_fetch_site, act.sec_fetch_mode, act.sec_fetch_user],
        ["same-origin", "navigate", "?1"],
      );
      assert.deepEqual(complaints, []);
      const { pathname } = new URL(href);
      assert.deepEqual(
        asked.filter((line) => !line.endsWith("/favicon.ico")),
        [`GET ${pathname}`, `POST ${pathname}`],
        "it loads nothing",
      );
      assert.deepEqual(await context.cookies(), []);
    }
  }
});

test("whoever unsubscribed by mistake takes it back, without JavaScript, too", async (t) => {
  for (const javaScriptEnabled of [true, false]) {
    const { page, complaints } = await visitor(t, { javaScriptEnabled, locale: "nl-NL" });
    const { message_id, href } = await mintAct(worker, "unsubscribe");
    await page.goto(href);
    await read();
    await page.click("button");
    await page.getByText("Je bent uitgeschreven").waitFor();
    await read();
    await page.getByRole("button", { name: "Opnieuw inschrijven" }).click();
    await page.getByText("Je bent weer ingeschreven").waitFor();
    assert.equal(page.url(), href, "it stays where it is");
    const acts = await settledClicks(worker, message_id, 2);
    assert.deepEqual(
      acts.map(({ kind, act }) => [kind, act]),
      [
        ["unsubscribe", "form"],
        ["confirm", "undo"],
      ],
    );
    assert.deepEqual(complaints, []);
    await page.goto(href);
    assert.equal(await heading(page), "Uitschrijven?", "and may unsubscribe again");
  }
});

test("a press that was too quick asks for another, and that one acts", async (t) => {
  const { page } = await visitor(t, { locale: "en-GB" });
  const { message_id, href } = await mintAct(worker, "unsubscribe");
  await page.goto(href);
  // As fast as any machine, or with a page that has been open for days: the stamp does not hold.
  await page.evaluate(() => document.querySelector("input").remove());
  await page.click("button");
  await page.getByText("Please press once more").waitFor();
  assert.deepEqual(await listClicks(worker, message_id), []);
  await read();
  await page.click("button");
  await page.getByText("You are unsubscribed").waitFor();
});

test("a confirmation leads on to where it was minted to, and not by itself", async (t) => {
  const { page } = await visitor(t);
  const url = `${worker.origin}/healthz?a=1&b="'<x>`;
  const { href } = await mintAct(worker, "confirm", { url });
  await page.goto(href);
  await read();
  await page.click("button");
  await page.getByText("Thank you").waitFor();
  assert.equal(page.url(), href);
  await page.click("a");
  await page.waitForURL(/healthz/);
  assert.deepEqual([...new URL(page.url()).searchParams], [...new URL(url).searchParams]);
  assert.equal(await page.evaluate(() => document.referrer), "", "the link's token goes nowhere");
});

test("its style holds, and a page without it reads the same", async (t) => {
  const { href } = await mintAct(worker, "unsubscribe");
  const texts = [];
  for (const bypass of [false, true]) {
    const { page } = await visitor(t, { locale: "en-GB" });
    if (bypass) {
      await page.route("**/u/*", async (route) => {
        const response = await route.fetch();
        const body = (await response.text()).replace(/<style.*<\/style>/s, "");
        await route.fulfill({ response, body });
      });
    }
    await page.goto(href);
    const weight = await page.locator("button").evaluate((button) => getComputedStyle(button).fontWeight);
    assert.equal(weight, bypass ? "400" : "600");
    texts.push((await page.locator("body").innerText()).split(/\n+/));
  }
  assert.deepEqual(texts[0], [
    "Käse & Co",
    "Unsubscribe?",
    "Press the button to stop receiving these emails.",
    "Unsubscribe",
  ]);
  assert.deepEqual(texts[1], texts[0]);
});

/** Looks a page over: its layout, its focus, and what axe finds. */
async function inspect(page, what) {
  const { fits, button } = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const box = document.querySelector("button, .button")?.getBoundingClientRect();
    return { fits: scrollWidth <= clientWidth, button: box && { bottom: box.bottom, height: box.height } };
  });
  assert.ok(fits, `${what}: nothing sticks out`);
  if (button) {
    assert.ok(button.height >= 44, `${what}: a thumb hits a button of ${button.height} px`);
    assert.ok(button.bottom <= page.viewportSize().height, `${what}: the button is seen without scrolling`);
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

for (const [n, vars] of BRANDS.entries()) {
  test(`every page can be used by everybody: ${vars.BRAND_COLOR ?? "no brand"}`, async (t) => {
    const HOME_URL = "https://brand.example/";
    const script = "export class Broken { async fetch() { throw new Error('no') } } export default {}";
    const broken = await startWorker({
      vars,
      worker: { durableObjects: { MESSAGES: { className: "Broken", scriptName: "broken" } } },
      workers: [{ name: "broken", modules: true, script, durableObjects: { SELF: "Broken" } }],
    });
    t.after(() => broken.close());
    const whole = await startWorker({ vars: { ...vars, HOME_URL } });
    t.after(() => whole.close());
    for (const [size, viewport, colorScheme] of [
      ["phone", PHONE, "light"],
      ["desktop", DESKTOP, "dark"],
    ]) {
      const { page } = await visitor(t, {
        viewport,
        colorScheme,
        locale: ["en", "de", "fr", "it", "pl", "pt"][n],
      });
      const look = (state) => inspect(page, `${n}-${state}-${size}-${colorScheme}`);
      const { href } = await mintAct(whole, "confirm", { url: "https://shop.example/" });
      await page.goto(href);
      await look("ask");
      await page.evaluate(() => document.querySelector("input").remove());
      await page.click("button");
      await look("again");
      await read();
      await page.click("button");
      await page.locator("a").waitFor();
      await look("done");
      const { href: bye } = await mintAct(whole, "unsubscribe");
      await page.goto(bye);
      await read();
      await page.click("button");
      await page.locator(".quiet").waitFor();
      await look("done-unsubscribe");
      await read();
      await page.click("button");
      await page.locator("a").waitFor();
      await look("undone");
      const { href: lost } = await mintAct(broken, "unsubscribe");
      await page.goto(lost);
      await look("ask-unsubscribe");
      await read();
      await page.click("button");
      await page.waitForLoadState();
      await look("unavailable");
    }
  });
}
