// Landing pages with the beacon in a real browser: what a person's visit proves of the click that led there, and what
// scripts, scrolls, prerenders and those who ask not to be tracked do not.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { ensureChromium } from "../../src/dev/chromium.mjs";
import { clicksWhen, mintCopy } from "../worker/clicks.mjs";
import { startWorker, until } from "../worker/harness.mjs";

// Where links lead, and the click host of each: on the same site the cookie comes along, on another it does not.
const SAME_SITE = { page: "www.brand.localhost", click: "click.brand.localhost" };
const OTHER_SITE = { page: "127.0.0.1", click: "localhost" };

let agent, browser;
/** A worker with a shop where its links lead: one with references in its redirects, and one without. */
let full, plain;

before(async () => {
  [full, plain] = await Promise.all([startHouse({ CLICK_REF_PARAM: "cp" }), startHouse({})]);
  const windowless = await chromium.launch(await options());
  const page = await windowless.newPage();
  // What the browser says where it has a window: without one it names itself a scanner.
  agent = (await page.evaluate(() => navigator.userAgent)).replace("HeadlessChrome/", "Chrome/");
  await windowless.close();
  browser = await chromium.launch(await options());
});

after(async () => {
  await browser?.close();
  for (const house of [full, plain]) {
    await house?.worker.close();
    house?.shop.close();
  }
});

/** A browser as people have it: with its back-forward cache, which drivers switch off. */
async function options() {
  return {
    executablePath: await ensureChromium(),
    args: ["--no-sandbox", ...(agent ? [`--user-agent=${agent}`] : [])],
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  };
}

async function startHouse(vars) {
  const house = { told: [], ahead: [], open: undefined };
  house.shop = http.createServer((request, response) => serve(house, request, response));
  house.shop.listen(0, "127.0.0.1");
  await once(house.shop, "listening");
  house.worker = await startWorker({ vars: { SETTLE_MS: 0, ...vars } });
  return house;
}

const clickOrigin = ({ click }, { worker } = full) => `http://${click}:${new URL(worker.origin).port}`;
const pageOrigin = ({ page }, { shop } = full) => `http://${page}:${shop.address().port}`;

/** A page of the shop: its path says what is special about it. */
function serve(house, request, response) {
  const [pathname] = request.url.split("?");
  // What the browser fetches ahead, and what the pages tell.
  if (request.headers["sec-purpose"]) house.ahead.push(pathname);
  if (pathname === "/told") {
    house.told.push(request.url);
    return response.end();
  }
  if (pathname === "/door") {
    house.open = () => response.end();
    return;
  }
  const isSameSite = request.headers.host.startsWith(SAME_SITE.page);
  const origin = clickOrigin(isSameSite ? SAME_SITE : OTHER_SITE, house);
  const beacon = `<script async src="${origin}/verify.js"></script>`;
  const noscript = `<noscript><img src="${origin}/verify" alt=""></noscript>`;
  const { headers = {}, html = "", beacons = 1 } = special(pathname, origin);
  response.writeHead(200, { "Content-Type": "text/html", ...headers });
  response.end(`<!doctype html><title>Shop</title>${html}${beacon.repeat(beacons)}
    <body><button>Buy</button>${"<p>Spring</p>".repeat(200)}${noscript.repeat(beacons)}`);
}

function special(pathname, origin) {
  switch (pathname) {
    case "/none":
      return { beacons: 0 };
    case "/twice":
      return { beacons: 2 };
    case "/strict":
      return { headers: { "Content-Security-Policy": `default-src 'self' ${origin}` } };
    case "/reticent":
      return { headers: { "Referrer-Policy": "no-referrer" } };
    case "/isolated":
      return { headers: { "Cross-Origin-Embedder-Policy": "require-corp" } };
    case "/errors":
      return { html: `<script>throw new Error("the page's own")</script>` };
    case "/hostile":
      return { html: `<script>(${hostile})()</script>` };
    case "/state":
      return { html: `<script>history.replaceState({ kept: [1] }, "")</script>` };
    case "/self-moving":
      return { html: `<script>(${selfMoving})()</script>` };
    case "/restored":
      return { html: `<script>(${tellsOfReturn})()</script>` };
    case "/ahead":
      return { html: `<script>(${tellsOfPrerender})()</script>` };
    case "/shelf":
      return {
        beacons: 0,
        html: `<script type="speculationrules">
          { "prerender": [{ "urls": ["/ahead"], "eagerness": "immediate" }] }
        </script><script>(${goesAhead})()</script>`,
      };
    default:
      return {};
  }
}

// What the special pages run.

function hostile() {
  history.replaceState = () => {
    throw new Error("not for you");
  };
  navigator.sendBeacon = undefined;
}

/** Does by script what a person does by hand, as far as scripts can. */
function selfMoving() {
  addEventListener("load", () => {
    for (const type of ["pointerdown", "keydown", "touchstart", "wheel"]) {
      document.querySelector("button").dispatchEvent(new Event(type, { bubbles: true }));
    }
    document.querySelector("button").click();
    addEventListener("scroll", ({ isTrusted }) => fetch(`/told?scrolled=${isTrusted}`), { once: true });
    scrollTo(0, 1_000);
  });
}

function tellsOfReturn() {
  addEventListener("pageshow", ({ persisted }) => persisted && fetch("/told?restored"));
}

/** Opens the page that was fetched ahead when the door is opened. */
function goesAhead() {
  fetch("/door").then(() => (location.href = "/ahead"));
}

function tellsOfPrerender() {
  addEventListener("load", () => fetch(`/told?prerendering=${document.prerendering}`));
  document.addEventListener("prerenderingchange", () => fetch("/told?activated"));
}

/** A browser of somebody's own, closed with the test. */
async function person(t, settings) {
  const context = await browser.newContext(settings);
  t.after(() => context.close());
  return watched(context);
}

/** A browser on a page that nobody drives: where somebody does, Chromium prerenders nothing. */
async function undriven(t, url) {
  const profile = mkdtempSync(path.join(os.tmpdir(), "clickproof-"));
  const args = ["--headless", "--no-sandbox", "--no-first-run", "--remote-debugging-port=0"];
  const child = spawn(await ensureChromium(), [...args, `--user-data-dir=${profile}`, url], {
    detached: true,
    stdio: "ignore",
  });
  t.after(async () => {
    process.kill(-child.pid, "SIGKILL");
    await once(child, "exit");
    remove(profile);
  });
}

/** Removes a profile; a browser's last processes may still write there. */
const remove = (profile) => rmSync(profile, { recursive: true, force: true, maxRetries: 10 });

/** A page of it, which counts how often its own pages learn of a person, and what goes wrong on them. */
async function watched(context) {
  await context.addInitScript(() => {
    window.fired = [];
    addEventListener("clickproof:verified", ({ bubbles, target }) => {
      window.fired.push([bubbles, target === document]);
    });
  });
  const page = await context.newPage();
  const errors = [];
  const complaints = [];
  page.on("pageerror", ({ message }) => errors.push(message));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  return { context, page, errors, complaints };
}

/** Has the browser say that its person is not to be tracked, to pages. */
const refuseTracking = (context) =>
  context.addInitScript(() =>
    Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { get: () => true }),
  );

/**
 * Follows a link of its own to a page of the shop, and returns the click as the message lists it.
 *
 * - `from`: the house
 * - `keeps`: whether the reference stays in the address bar, because the page's beacon cannot take it away
 */
async function follow(page, site, destination = "/", { from = full, keeps = false } = {}) {
  const url = pageOrigin(site, from) + destination;
  const { message_id, hrefs } = await mintCopy(from.worker, { urls: [url] });
  await page.goto(clickOrigin(site, from) + new URL(hrefs[0]).pathname);
  await page.waitForURL(({ href }) => (keeps ? href.startsWith(url) && /[?&]cp=/.test(href) : href === url));
  const [{ event_id }] = await clicksWhen(from.worker, message_id, 1);
  return { house: from, message_id, event_id };
}

/** The worker's lines on a click. */
const linesOf = ({ house, event_id }) =>
  house.worker.logs.filter((line) => line.event === "verify.received" && line.event_id === event_id);

/** What they say. */
const heard = (click) => linesOf(click).map(({ verified }) => verified);

/** Returns once they say that. */
const heardOf = (click, verified) =>
  until(() => heard(click).includes(verified), { what: `"${verified}" of the click` });

/** The click's type, once it is settled and its page has shown that. */
async function settledAs({ house, message_id }, verified) {
  const settled = (click) => click.final && click.verified === verified;
  const [{ click_type }] = await clicksWhen(house.worker, message_id, 1, settled);
  return click_type;
}

/** Why views were refused, in their order. */
const refusals = ({ worker }) =>
  worker.logs.filter(({ event }) => event === "verify.refused").map(({ reason }) => reason);

/** Returns when what the page has sent so far is in the worker's log: by a view that is refused. */
async function flush(page, site, house = full) {
  const seen = refusals(house).length;
  await page.evaluate(
    (url) => fetch(url, { mode: "no-cors" }).then(() => null),
    `${clickOrigin(site, house)}/verify?r=mark`,
  );
  await until(() => refusals(house).length > seen);
}

const firedOn = (page) => page.evaluate(() => window.fired);
const FIRED_ONCE = [[true, true]];

for (const [words, site] of [
  ["on the same site", SAME_SITE],
  ["on another site, by reference", OTHER_SITE],
]) {
  test(`a person lands and touches ${words}: rendered, interacted, each once`, async (t) => {
    const { page, errors } = await person(t);
    const began = Date.now();
    const click = await follow(page, site);
    await heardOf(click, "rendered");
    assert.deepEqual(await firedOn(page), []);
    await page.mouse.click(50, 50);
    await heardOf(click, "interacted");
    await page.keyboard.press("a");
    await page.mouse.wheel(0, 100);
    await page.mouse.click(50, 50);
    await flush(page, site);
    assert.deepEqual(heard(click), ["rendered", "interacted"]);
    assert.deepEqual(await firedOn(page), FIRED_ONCE);
    const { since_load_ms } = linesOf(click).at(-1);
    assert.ok(Number.isInteger(since_load_ms) && since_load_ms <= Date.now() - began, `${since_load_ms}`);
    assert.deepEqual(errors, []);
    assert.equal(await settledAs(click, "interacted"), "human");
  });
}

test("each kind of touch is one", async (t) => {
  for (const touch of [
    (page) => page.mouse.click(50, 50),
    (page) => page.keyboard.press("Tab"),
    (page) => page.touchscreen.tap(50, 50),
    (page) => page.mouse.wheel(0, 100),
  ]) {
    const { page } = await person(t, { hasTouch: true });
    const click = await follow(page, SAME_SITE);
    await heardOf(click, "rendered");
    await touch(page);
    await heardOf(click, "interacted");
    await flush(page, SAME_SITE);
    assert.deepEqual(heard(click), ["rendered", "interacted"], String(touch));
    assert.deepEqual(await firedOn(page), FIRED_ONCE, String(touch));
  }
});

test("on the same site the cookie alone is enough", async (t) => {
  const { page } = await person(t);
  const click = await follow(page, SAME_SITE, "/", { from: plain });
  await heardOf(click, "rendered");
  await page.mouse.click(50, 50);
  await heardOf(click, "interacted");
  assert.deepEqual(
    linesOf(click).map(({ by }) => by),
    ["cookie", "cookie"],
  );
});

test("on another site nothing is known without a reference", async (t) => {
  const { page } = await person(t);
  const click = await follow(page, OTHER_SITE, "/", { from: plain });
  await page.mouse.click(50, 50);
  await until(() => refusals(plain).length >= 2);
  assert.deepEqual(refusals(plain), ["no_click", "no_click"]);
  assert.deepEqual(heard(click), []);
  assert.deepEqual(await firedOn(page), FIRED_ONCE, "the page learns of its person all the same");
});

test("where cookies are blocked a reference works, and without one nothing is known", async (t) => {
  const profile = mkdtempSync(path.join(os.tmpdir(), "clickproof-"));
  mkdirSync(path.join(profile, "Default"));
  const settings = { profile: { default_content_setting_values: { cookies: 2 } } };
  writeFileSync(path.join(profile, "Default/Preferences"), JSON.stringify(settings));
  const context = await chromium.launchPersistentContext(profile, await options());
  t.after(async () => {
    await context.close();
    remove(profile);
  });
  const { page, errors } = await watched(context);
  const click = await follow(page, SAME_SITE);
  await heardOf(click, "rendered");
  await page.mouse.click(50, 50);
  await heardOf(click, "interacted");
  assert.deepEqual(await context.cookies(), [], "none was kept");

  const seen = refusals(plain).length;
  const unknown = await follow(page, SAME_SITE, "/", { from: plain });
  await page.mouse.click(50, 50);
  await until(() => refusals(plain).length >= seen + 2);
  assert.deepEqual(refusals(plain).slice(seen), ["no_click", "no_click"]);
  assert.deepEqual(heard(unknown), []);
  assert.deepEqual(errors, []);
  assert.equal(await settledAs(click, "interacted"), "human");
  assert.equal(await settledAs(unknown, "none"), "human");
});

test("without JavaScript the pixel in <noscript> says that the page was shown", async (t) => {
  const { page } = await person(t, { javaScriptEnabled: false });
  const click = await follow(page, SAME_SITE, "/", { keeps: true });
  await heardOf(click, "rendered");
  await page.mouse.click(50, 50);
  await page.goto(`${pageOrigin(SAME_SITE)}/none`);
  assert.deepEqual(
    linesOf(click).map(({ verified, by }) => [verified, by]),
    [["rendered", "cookie"]],
  );
  assert.equal(await settledAs(click, "rendered"), "human");
});

test("under Global Privacy Control nothing is sent or kept, and the page learns of its person", async (t) => {
  for (const site of [SAME_SITE, OTHER_SITE]) {
    const { context, page, errors } = await person(t);
    const session = await context.newCDPSession(page);
    await session.send("Network.enable");
    await session.send("Network.setExtraHTTPHeaders", { headers: { "Sec-GPC": "1" } });
    await refuseTracking(context);
    const requests = [];
    context.on("request", (request) => requests.push(new URL(request.url()).pathname));
    const landed = [];
    page.on("framenavigated", (frame) => landed.push(frame.url()));
    const seen = refusals(full).length;
    const click = await follow(page, site);
    await page.waitForLoadState("load");
    await page.mouse.click(50, 50);
    await page.waitForFunction(() => window.fired.length > 0);
    assert.deepEqual(await firedOn(page), FIRED_ONCE);
    await flush(page, site);
    assert.deepEqual(requests.filter((pathname) => pathname === "/verify").length, 1, "the test's own mark");
    assert.equal(refusals(full).length, seen + 1, "and no other line");
    assert.deepEqual(heard(click), []);
    assert.ok(!landed.some((url) => url.includes("cp=")), "no reference");
    assert.deepEqual(await context.cookies(), []);
    assert.deepEqual(errors, []);
    assert.equal(await settledAs(click, "none"), "human");
  }
});

test("a reference that is there under Global Privacy Control is taken away unread", async (t) => {
  const { context, page } = await person(t);
  await refuseTracking(context);
  const click = await follow(page, OTHER_SITE);
  await page.mouse.click(50, 50);
  await page.waitForFunction(() => window.fired.length > 0);
  await flush(page, OTHER_SITE);
  assert.deepEqual(heard(click), []);
});

test("a browser without a window that renders and touches nothing is the scanner that it was", async (t) => {
  const { page } = await person(t, { userAgent: agent.replace("Chrome/", "HeadlessChrome/") });
  const click = await follow(page, SAME_SITE);
  await heardOf(click, "rendered");
  await page.evaluate(() => document.querySelector("button").click());
  await flush(page, SAME_SITE);
  assert.deepEqual(heard(click), ["rendered"]);
  assert.deepEqual(await firedOn(page), []);
  assert.equal(await settledAs(click, "rendered"), "scanner_declared");
});

test("a page that scrolls and clicks itself is no touch", async (t) => {
  const { page } = await person(t);
  const click = await follow(page, OTHER_SITE, "/self-moving");
  await until(() => full.told.includes("/told?scrolled=true"), { what: "a trusted scroll by script" });
  await heardOf(click, "rendered");
  await flush(page, OTHER_SITE);
  assert.deepEqual(heard(click), ["rendered"]);
  assert.deepEqual(await firedOn(page), []);
});

test("a page's own errors, and what it has taken away, keep nothing from the beacon but that", async (t) => {
  for (const [pathname, expected] of [
    ["/errors", ["rendered", "interacted"]],
    ["/hostile", ["rendered"]],
  ]) {
    const { page, errors } = await person(t);
    const click = await follow(page, SAME_SITE, pathname, { keeps: pathname === "/hostile" });
    await heardOf(click, "rendered");
    await page.mouse.click(50, 50);
    await page.waitForFunction(() => window.fired.length > 0);
    await heardOf(click, expected.at(-1));
    await flush(page, SAME_SITE);
    assert.deepEqual(heard(click), expected);
    assert.deepEqual(await firedOn(page), FIRED_ONCE);
    assert.deepEqual(errors, pathname === "/errors" ? ["the page's own"] : [], "none but the page's own");
  }
});

test("a strict policy that names the click host is enough", async (t) => {
  for (const site of [SAME_SITE, OTHER_SITE]) {
    const { page, errors, complaints } = await person(t);
    const click = await follow(page, site, "/strict");
    await heardOf(click, "rendered");
    await page.mouse.click(50, 50);
    await heardOf(click, "interacted");
    assert.deepEqual(errors, []);
    assert.deepEqual(
      complaints.filter((text) => /Content Security Policy/.test(text)),
      [],
    );
  }
});

test("a page that names itself to nobody, or wants its resources to opt in, is credited all the same", async (t) => {
  for (const pathname of ["/reticent", "/isolated"]) {
    const { page, errors } = await person(t);
    const click = await follow(page, SAME_SITE, pathname);
    await heardOf(click, "rendered");
    await page.mouse.click(50, 50);
    await heardOf(click, "interacted");
    assert.deepEqual(errors, []);
  }
});

test("two tags are one beacon", async (t) => {
  const { page } = await person(t);
  const click = await follow(page, OTHER_SITE, "/twice");
  await heardOf(click, "rendered");
  await page.waitForLoadState("load");
  await page.mouse.click(50, 50);
  await heardOf(click, "interacted");
  await flush(page, OTHER_SITE);
  assert.deepEqual(heard(click), ["rendered", "interacted"]);
  assert.deepEqual(await firedOn(page), FIRED_ONCE);
});

const A_REFERENCE = "AQJrMQGiAyCiAHAAgAAAAAAAAAAIc3ByaW5nLTHTjHoqKB13QcvmNoYp_u3J";
const LIKE_REFERENCES = [
  A_REFERENCE.slice(0, -2),
  `${A_REFERENCE}AA`,
  A_REFERENCE.replace("AQ", "Ag"),
  `${A_REFERENCE}=`,
  "AQ",
  "f".repeat(86),
];

test("the reference goes from the address bar, and nothing else does", async (t) => {
  for (const destination of [
    "/",
    "/?",
    "/?a=%20b&cp=mine&&c#top?cp=x",
    "/p%C3%A9?x&#",
    "//double?q=%zz+~",
    "/?cpx=1&xcp=2&c%70=3#/route?cp=4",
    // What looks like one: cut, longer, of another version, padded, or long and random.
    `/?${LIKE_REFERENCES.map((value, at) => `p${at}=${value}`).join("&")}`,
  ]) {
    const { page } = await person(t);
    const click = await follow(page, OTHER_SITE, destination);
    await heardOf(click, "rendered");
    assert.equal(page.url(), pageOrigin(OTHER_SITE) + destination);
    assert.deepEqual(heard(click), ["rendered"]);
  }
  const { page } = await person(t);
  await follow(page, OTHER_SITE, "/none", { keeps: true });
  const entries = await page.evaluate(() => history.length);
  const click = await follow(page, OTHER_SITE, "/state?x");
  await heardOf(click, "rendered");
  const kept = await page.evaluate(() => [history.state, history.length, location.search]);
  assert.deepEqual(kept, [{ kept: [1] }, entries + 1, "?x"]);
});

test("a page that comes back from the back-forward cache reports nothing again", async (t) => {
  const { page, errors } = await person(t);
  const click = await follow(page, SAME_SITE, "/restored");
  await heardOf(click, "rendered");
  await page.mouse.click(50, 50);
  await heardOf(click, "interacted");
  await page.goto(`${pageOrigin(SAME_SITE)}/none`);
  await page.evaluate(() => history.back());
  await until(() => full.told.includes("/told?restored"), { what: "the restored page" });
  await page.mouse.click(60, 60);
  await page.keyboard.press("a");
  await page.goto(`${pageOrigin(SAME_SITE)}/none`);
  await flush(page, SAME_SITE);
  assert.deepEqual(heard(click), ["rendered", "interacted"]);
  assert.deepEqual(errors, []);
});

test("a page in a tab behind reports when it is shown", async (t) => {
  const { context, page } = await person(t);
  await context.addInitScript(() => {
    let hidden = true;
    Object.defineProperty(Document.prototype, "hidden", { get: () => hidden });
    window.show = () => {
      hidden = false;
      document.dispatchEvent(new Event("visibilitychange"));
    };
  });
  const click = await follow(page, OTHER_SITE);
  await page.waitForLoadState("load");
  await flush(page, OTHER_SITE);
  assert.deepEqual(heard(click), [], "nobody has seen it");
  await page.evaluate(() => window.show());
  await heardOf(click, "rendered");
  await page.evaluate(() => window.show());
  await flush(page, OTHER_SITE);
  assert.deepEqual(heard(click), ["rendered"]);
});

test("a prerendered page is reported when somebody opens it, and never before", async (t) => {
  const { message_id, hrefs } = await mintCopy(full.worker, { urls: [`${pageOrigin(SAME_SITE)}/shelf`] });
  await undriven(t, clickOrigin(SAME_SITE) + new URL(hrefs[0]).pathname);
  const [{ event_id }] = await clicksWhen(full.worker, message_id, 1);
  const click = { house: full, message_id, event_id };
  // Its load waits for the beacon's script, and for every image that this asks for.
  await until(() => full.told.includes("/told?prerendering=true"), { what: "the prerendered page" });
  assert.ok(full.ahead.includes("/ahead"), "the browser says that it only fetches ahead");
  const seen = refusals(full).length;
  await full.worker.request("/verify?r=mark");
  await until(() => refusals(full).length > seen);
  assert.deepEqual(heard(click), []);
  full.open();
  await until(() => full.told.includes("/told?activated"), { what: "the page's activation" });
  await heardOf(click, "rendered");
  assert.deepEqual(heard(click), ["rendered"]);
  assert.equal(refusals(full).length, seen + 1, "nothing but the mark was refused");
});
