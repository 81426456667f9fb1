// The demo clicked through in a real browser, at phone and desktop width, and looked over by axe in light and dark. Set
// SCREENSHOTS to a directory to look at it yourself.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CAMPAIGN, bringCampaign } from "../../src/dev/campaign.mjs";
import { MICROSOFT, report } from "../worker/clicks.mjs";
import { startWorker, until } from "../worker/harness.mjs";
import { assertAccessible } from "./axe.mjs";
import { windowedChromium } from "./engines.mjs";

const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };
const SHOTS = process.env.SCREENSHOTS;

let browser, worker;

before(async () => {
  worker = await startWorker({ vars: { SETTLE_MS: 0, DEMO: "on" } });
  browser = await windowedChromium();
});

after(async () => {
  await browser?.close();
  await worker?.close();
});

/** A page in a browser of somebody's own; what it complains of. */
async function visitor(t, options) {
  const context = await browser.newContext(options);
  t.after(() => context.close());
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/favicon/.test(message.location().url))
      complaints.push(message.text());
  });
  return { page, complaints };
}

/** The story's record of which such a request is told. */
const record = (page, words) => page.locator("li.record").filter({ hasText: words });

/** Looks a page over: its layout, and what axe finds, in light and dark. */
async function inspect(page, what) {
  const fits = () => document.documentElement.scrollWidth <= document.documentElement.clientWidth;
  assert.ok(await page.evaluate(fits), `${what}: nothing sticks out`);
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    await assertAccessible(page, `${what}, ${colorScheme}`);
    if (!SHOTS) continue;
    mkdirSync(SHOTS, { recursive: true });
    await page.screenshot({ path: path.join(SHOTS, `${what}-${colorScheme}.png`), fullPage: true });
  }
}

for (const [size, viewport] of Object.entries(SIZES)) {
  test(`the whole story is clicked through at ${size} width`, async (t) => {
    const { page, complaints } = await visitor(t, { viewport });
    await page.goto(`${worker.origin}/demo`);
    await inspect(page, `demo-mail-${size}`);

    await page.getByRole("link", { name: "Taste the spring harvest" }).click();
    await page.waitForURL(/\/demo\/landing\?message=demo-/);
    const proof = page.getByRole("status");
    assert.match(await proof.textContent(), /not touched yet/);
    await inspect(page, `demo-landing-${size}`);
    await page.mouse.click(200, 500);
    await page.getByText("Somebody touched this page").waitFor();
    await inspect(page, `demo-touched-${size}`);

    await page.getByRole("link", { name: "See the story" }).click();
    const click = record(page, "click of tea");
    await click.getByText("Somebody touched the page behind it.").waitFor();
    await click.getByText("final").waitFor();
    assert.match(await click.getByRole("heading").textContent(), /^A person human/);
    assert.ok((await click.getByRole("listitem").count()) > 1, "for reasons");
    await inspect(page, `demo-proven-${size}`);
    assert.match(await record(page, "open of pixel").getByRole("heading").textContent(), /^A person/);

    // A scanner comes while the story is looked at.
    const message = new URL(page.url()).searchParams.get("message");
    const mail = await page.context().newPage();
    await mail.goto(`${worker.origin}/demo`);
    await inspect(mail, `demo-another-${size}`);
    const cups = await mail.getByRole("link", { name: "a thin cup" }).getAttribute("href");
    const other = await mail.getByRole("link", { name: "the story" }).first().getAttribute("href");
    assert.ok(!other.includes(message), "every mail is a send of its own");
    await mail.close();
    await page.goto(worker.origin + other);
    await record(page, "open of pixel").waitFor();
    await worker.click(cups, { ...MICROSOFT, headers: { "User-Agent": "curl/8.5.0" } });
    await record(page, "click of cups").getByRole("heading", { name: "A scanner" }).waitFor();
    await inspect(page, `demo-story-${size}`);
    assert.deepEqual(complaints, []);
  });
}

test("a finished campaign is one click away, at phone and desktop width", async (t) => {
  await bringCampaign(worker.api);
  await until(async () => (await report(worker, CAMPAIGN)).unsettled === 0, { what: "the last verdict" });
  for (const [size, viewport] of Object.entries(SIZES)) {
    const { page, complaints } = await visitor(t, { viewport });
    await page.goto(`${worker.origin}/demo`);
    await page.getByRole("link", { name: "See a finished campaign" }).click();
    const rate = page.getByRole("row", { name: "Click rate" }).getByRole("cell");
    await rate.first().waitFor();
    const [naive, people] = (await rate.allTextContents()).map(Number.parseFloat);
    assert.ok(naive > people && people > 10, `${naive} ${people}`);
    await inspect(page, `demo-campaign-${size}`);
    await page.getByRole("link", { name: "See its report" }).click();
    await page.getByRole("heading", { name: "The spring harvest is here" }).waitFor();
    await inspect(page, `demo-report-${size}`);
    assert.deepEqual(complaints, []);
  }
});

test("a subscription is confirmed and ended, and the story tells who did it", async (t) => {
  const { page, complaints } = await visitor(t, { viewport: SIZES.phone });
  await page.goto(`${worker.origin}/demo`);
  const href = (name) => page.getByRole("link", { name }).first().getAttribute("href");
  const story = worker.origin + (await href("the story"));
  const acts = { confirm: await href("Confirm your subscription"), unsubscribe: await href("unsubscribe") };
  for (const [kind, link] of Object.entries(acts)) {
    await page.goto(link);
    // Whoever presses at once is a machine.
    await sleep(1_100);
    const button = page.getByRole("button", {
      name: await page.getByRole("button").innerText(),
      exact: true,
    });
    await button.click();
    await button.waitFor({ state: "detached" });
    await page.goto(story);
    await record(page, `${kind} of ${kind}`).getByRole("heading", { name: "A person" }).waitFor();
  }
  assert.deepEqual(complaints, []);
});

test("without JavaScript it is all readable, and the landing page was shown", async (t) => {
  const { page } = await visitor(t, { javaScriptEnabled: false });
  await page.goto(`${worker.origin}/demo`);
  await page.getByRole("link", { name: "in the shop" }).click();
  await page.waitForLoadState("networkidle");
  await page.getByRole("link", { name: "See the story" }).click();
  const shown = record(page, "click of shop").getByText("was shown; nobody has touched it yet");
  await until(
    async () => {
      await page.getByRole("link", { name: "Look again" }).click();
      return (await shown.count()) === 1;
    },
    { what: "the page that was shown" },
  );
});
