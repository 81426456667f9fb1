// A real browser follows tracked links: where it lands, what it keeps, and what the record says of it.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { ensureChromium } from "../../src/dev/chromium.mjs";
import { clicksWhen, mintCopy } from "../worker/clicks.mjs";
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
  worker = await startWorker();
  // Another host than the shop's, as in life; localhost is one that browsers trust without https.
  const { port } = new URL(worker.origin);
  origin = `http://localhost:${port}`;
  destination = `http://127.0.0.1:${shop.address().port}/spring?utm_source=mail&x=%20%C3%A9#top`;
  const executablePath = await ensureChromium();
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
});

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

/** A minted link as it stands in the mail, on the click host. */
async function mintedLink() {
  const { message_id, hrefs } = await mintCopy(worker, { urls: [destination] });
  return { message_id, href: origin + new URL(hrefs[0]).pathname };
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
  await page.goto(`http://127.0.0.1:${shop.address().port}/inbox?secret=1`);
  await page.evaluate((href) => {
    document.body.innerHTML = `<a href="${href}">Read more</a>`;
  }, href);
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
