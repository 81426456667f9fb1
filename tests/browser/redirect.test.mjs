// A real browser follows tracked links: where it lands, what it keeps, what the record says of it, and what it is taken
// for.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { ensureChromium } from "../../src/dev/chromium.mjs";
import { clicksWhen, mintCopy, settledClicks } from "../worker/clicks.mjs";
import { startWorker } from "../worker/harness.mjs";

let browser, worker, shop, origin, destination;

before(async () => {
  // Where tracked links lead.
  shop = http.createServer((request, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(`<!doctype html><title>Shop</title><p id="path">${request.url}</p>`);
  });
  shop.listen(0, "127.0.0.1");
  await once(shop, "listening");
  worker = await startWorker({ vars: { SETTLE_MS: 0 } });
  // Another host than the shop's, as in life; localhost is one that browsers trust without https.
  const { port } = new URL(worker.origin);
  origin = `http://localhost:${port}`;
  destination = `http://127.0.0.1:${shop.address().port}/spring?utm_source=mail&x=%20%C3%A9#top`;
  browser = await launch();
});

async function launch(...args) {
  return chromium.launch({ executablePath: await ensureChromium(), args: ["--no-sandbox", ...args] });
}

after(async () => {
  await browser?.close();
  await worker?.close();
  shop?.close();
});

/** A browser of somebody's own, closed with the test. */
async function person(t, options) {
  const context = await browser.newContext(options);
  t.after(() => context.close());
  return { context, page: await context.newPage() };
}

/** Minted links as they stand in the mail, on the click host. */
async function mintedLinks(count) {
  const { message_id, hrefs } = await mintCopy(worker, { urls: Array(count).fill(destination) });
  return { message_id, hrefs: hrefs.map((href) => origin + new URL(href).pathname) };
}

/** One of them. */
async function mintedLink() {
  const { message_id, hrefs } = await mintedLinks(1);
  return { message_id, href: hrefs[0] };
}

/**
 * A browser of somebody's own that says what it says where it has a window: the tests' own has none, and names itself so.
 * The agent is the whole process's, because a new tab's first request goes out before the page's own settings hold.
 */
async function windowed(t) {
  const page = await browser.newPage();
  const agent = await page.evaluate(() => navigator.userAgent);
  await page.close();
  assert.match(agent, /HeadlessChrome\//);
  const own = await launch(`--user-agent=${agent.replace("HeadlessChrome/", "Chrome/")}`);
  t.after(() => own.close());
  const context = await own.newContext();
  return { context, page: await context.newPage() };
}

/** A page with these links, as a web mail shows a mail. */
async function showMail(page, hrefs) {
  await page.goto(`http://127.0.0.1:${shop.address().port}/inbox?secret=1`);
  await page.evaluate((hrefs) => {
    document.body.innerHTML = hrefs.map((href) => `<a href="${href}">Read more</a> `).join("");
  }, hrefs);
}

test("a person lands on the destination and is known the second time", async (t) => {
  const { context, page } = await person(t);
  const { message_id, href } = await mintedLink();
  await page.goto(href);
  assert.equal(page.url(), destination);
  assert.equal(await page.title(), "Shop");

  const [cookie, ...others] = await context.cookies(origin);
  assert.deepEqual(others, []);
  const { name, domain, path, httpOnly, secure, sameSite, expires } = cookie;
  assert.deepEqual(
    { name, domain, path, httpOnly, secure, sameSite },
    { name: "__Host-cp", domain: "localhost", path: "/", httpOnly: true, secure: true, sameSite: "Lax" },
  );
  const days = (expires - Date.now() / 1000) / 86_400;
  assert.ok(days > 364 && days < 366, `${days} days`);
  assert.deepEqual(await context.cookies(new URL(destination).origin), [], "none for the shop");

  await page.goto(href);
  assert.equal(page.url(), destination);
  const [first, second] = await clicksWhen(worker, message_id, 2);
  assert.deepEqual([first.cookie, second.cookie], ["new", "returning"]);
  assert.equal(second.visitor_id, first.visitor_id);
  assert.match(first.visitor_id, /^[0-9a-f]{32}$/);
});

test("the record holds what the browser says of the navigation", async (t) => {
  const { page } = await person(t, { locale: "fr-CH" });
  const { message_id, href } = await mintedLink();
  // From a page, by a real click on the link.
  await showMail(page, [href]);
  await page.click("a");
  await page.waitForURL(destination);
  const [click] = await clicksWhen(worker, message_id, 1);
  const { sec_fetch_site, sec_fetch_mode, sec_fetch_dest, sec_fetch_user } = click;
  assert.deepEqual(
    { sec_fetch_site, sec_fetch_mode, sec_fetch_dest, sec_fetch_user },
    {
      sec_fetch_site: "cross-site",
      sec_fetch_mode: "navigate",
      sec_fetch_dest: "document",
      sec_fetch_user: "?1",
    },
  );
  assert.match(click.user_agent, /Chrome\//);
  assert.match(click.accept, /text\/html/);
  assert.match(click.accept_language, /^fr-CH/);
  assert.match(click.sec_ch_ua, /Chrom/);
  assert.equal(click.referer, `http://127.0.0.1:${shop.address().port}/`);
  assert.deepEqual([click.secure, click.method, click.kind], [true, "GET", "click"]);
});

test("with Global Privacy Control nothing is kept, and the link works", async (t) => {
  const { context, page } = await person(t);
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.setExtraHTTPHeaders", { headers: { "Sec-GPC": "1" } });
  const { message_id, href } = await mintedLink();
  for (let n = 0; n < 2; n++) {
    await page.goto(href);
    assert.equal(page.url(), destination);
  }
  assert.deepEqual(await context.cookies(), []);
  const clicks = await clicksWhen(worker, message_id, 2);
  for (const { cookie, visitor_id } of clicks) assert.deepEqual([cookie, visitor_id], ["none", null]);
});

test("without JavaScript, and without cookies, the link works", async (t) => {
  const { context, page } = await person(t, { javaScriptEnabled: false });
  const { message_id, href } = await mintedLink();
  await page.goto(href);
  assert.equal(page.url(), destination);
  await context.clearCookies();
  await page.goto(href);
  const clicks = await clicksWhen(worker, message_id, 2);
  assert.deepEqual(
    clicks.map(({ cookie }) => cookie),
    ["new", "new"],
  );
  assert.notEqual(clicks[0].visitor_id, clicks[1].visitor_id);
});

test("a link that does not work is a page that loads nothing and says so", async (t) => {
  const { page } = await person(t);
  const requests = [];
  const errors = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on(
    "console",
    (message) => /Content Security Policy/.test(message.text()) && errors.push(message.text()),
  );
  const { href } = await mintedLink();
  const response = await page.goto(`${href.slice(0, -5)}AAAAA`);
  assert.equal(response.status(), 404);
  assert.equal(await page.getByRole("heading").count(), 1);
  assert.deepEqual(
    requests.filter((url) => !url.endsWith("/favicon.ico")),
    [response.url()],
  );
  assert.deepEqual(errors, []);
});

test("a click by somebody with a browser is a person's, and in the next mail it is proven", async (t) => {
  const { page } = await windowed(t);
  const mails = [await mintedLink(), await mintedLink()];
  for (const { href } of [mails[0], mails[1], mails[0]]) {
    await showMail(page, [href]);
    await page.click("a");
    await page.waitForURL(destination);
  }
  const [first, again] = await settledClicks(worker, mails[0].message_id, 2);
  const [next] = await settledClicks(worker, mails[1].message_id, 1);
  for (const { click_type, rule, ruleset, reasons } of [first, again, next]) {
    assert.deepEqual([click_type, rule, ruleset], ["human", "human", "full@3"]);
    assert.ok(reasons.includes("-navigated") && reasons.includes("-coherent_headers"), String(reasons));
    const against = reasons.filter((reason) => reason.startsWith("+"));
    // The local runtime speaks HTTP/1 alone, and an installed browser may be an aged one.
    const harmless = /^\+(old_protocol|aged_browser|stale_browser|first_seconds)$/;
    for (const reason of against) assert.match(reason, harmless, "nothing else speaks for a scanner");
  }
  const proven = ({ reasons }) =>
    reasons.includes("-returning_cookie") && reasons.includes("-proof_of_person");
  // What the same copy set a moment ago comes back from a sandbox too.
  assert.deepEqual([first, next, again].map(proven), [false, true, false]);
  assert.deepEqual([first.cookie, next.cookie, again.cookie], ["new", "returning", "returning"]);
});

test("three links opened in tabs, a second apart, are a person's", async (t) => {
  const { context, page } = await windowed(t);
  const { message_id, hrefs } = await mintedLinks(3);
  await showMail(page, hrefs);
  for (const [n, link] of (await page.locator("a").all()).entries()) {
    await link.click({ modifiers: ["ControlOrMeta"] });
    await clicksWhen(worker, message_id, n + 1);
    // Faster than hands it would be a sweep.
    await sleep(1_000);
  }
  const clicks = await settledClicks(worker, message_id, 3);
  assert.deepEqual(
    clicks.map(({ click_type, link_id }) => [click_type, link_id]),
    ["l1", "l2", "l3"].map((link_id) => ["human", link_id]),
  );
  assert.equal(context.pages().length, 4);
});

test("the same browser without a window, under its own name, is a scanner that says so", async (t) => {
  const { page } = await person(t);
  const { message_id, href } = await mintedLink();
  await showMail(page, [href]);
  await page.click("a");
  await page.waitForURL(destination);
  const [click] = await settledClicks(worker, message_id, 1);
  assert.match(click.user_agent, /HeadlessChrome\//);
  assert.deepEqual([click.click_type, click.rule, click.is_bot], ["scanner_declared", "declared", true]);
  assert.equal(click.is_defender_bot, false);
  assert.ok(click.reasons.includes("+declared"));
});
