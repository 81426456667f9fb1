// The demo over HTTP: only where it is asked for, only on this machine, and what strangers send is shown as text.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CAMPAIGN, bringCampaign } from "../../src/dev/campaign.mjs";
import { MICROSOFT, chrome, mintCopy, report } from "./clicks.mjs";
import { API_TOKEN, startWorker, until } from "./harness.mjs";

const PATHS = [
  "/demo",
  "/demo/landing",
  "/demo/story",
  "/demo/campaign",
  "/demo/report",
  "/demo/report.csv",
  "/demo/style.css",
  "/demo/demo.js",
  "/demo/x",
  "/demo/",
];

let worker;
before(async () => (worker = await startWorker({ vars: { SETTLE_MS: 0, DEMO: "on" } })));
after(() => worker?.close());

/** A mail: its message, and its links' paths by their route. */
async function mail() {
  const html = await (await worker.request("/demo")).text();
  const message = html.match(/\/demo\/story\?message=(demo-[0-9a-f-]{36})"/)[1];
  const links = [...html.matchAll(/(?:href|src)="([^"]+\/([cou])\/[^"]+)"/g)];
  const by = (route) => links.filter(([, , its]) => its === route).map(([, href]) => href);
  return { html, message, clicks: by("c"), opens: by("o"), acts: by("u") };
}

const story = (message) => worker.request(`/demo/story?message=${message}`);

/** The story of a message, once it tells of so many requests. */
const storyOf = (message, count) =>
  until(async () => {
    const html = await (await story(message)).text();
    return html.split('<li class="record">').length === count + 1 && html;
  });

test("without DEMO there is no such page", async (t) => {
  const plain = await startWorker();
  t.after(() => plain.close());
  const unknown = await (await plain.request("/nothing")).text();
  for (const path of PATHS) {
    const response = await plain.request(path);
    assert.deepEqual([response.status, await response.text()], [404, unknown], path);
  }
});

test("with DEMO it is there on this machine's own names alone", async () => {
  const at = (host, path) =>
    worker.request(path, { headers: { "MF-Original-URL": `http://${host}${path}` } });
  for (const host of ["localhost", "127.0.0.1:8787", "[::1]:8787", "click.brand.localhost:1"]) {
    assert.equal((await at(host, "/demo")).status, 200, host);
  }
  const elsewhere = [
    "click.brand.example",
    "localhost.evil.example",
    "127.0.0.2",
    "xlocalhost",
    "192.168.0.1",
  ];
  for (const host of elsewhere) {
    for (const path of PATHS) assert.equal((await at(host, path)).status, 404, `${host} ${path}`);
  }
});

test("each mail is a send of its own, whose links begin where it was asked for", async () => {
  const mails = [await mail(), await mail()];
  assert.notEqual(mails[0].message, mails[1].message);
  for (const { clicks, opens, acts } of mails) {
    assert.deepEqual([clicks.length >= 3, opens.length, acts.length], [true, 1, 2]);
    for (const href of [...clicks, ...opens, ...acts]) assert.ok(href.startsWith(`${worker.origin}/`), href);
  }
  const response = await worker.click(mails[0].clicks[0]);
  const landing = new URL(response.headers.get("location"));
  assert.deepEqual([landing.origin, landing.pathname], [worker.origin, "/demo/landing"]);
  assert.deepEqual([...landing.searchParams.keys()], ["message", "page", "click"]);
  const page = await (await worker.request(landing.pathname + landing.search)).text();
  assert.ok(page.includes(`/demo/story?message=${mails[0].message}"`));
});

test("its pages load nothing from elsewhere, hold no secret, and only read", async () => {
  const { message } = await mail();
  for (const path of ["/demo", "/demo/landing", "/demo/campaign", `/demo/story?message=${message}`]) {
    const response = await worker.request(path);
    assert.equal(response.status, 200, path);
    assert.match(response.headers.get("content-security-policy"), /^default-src 'none'; script-src 'self';/);
    assert.equal(response.headers.get("cache-control"), "no-store, private");
    assert.ok(!(await response.text()).includes(API_TOKEN), path);
    const head = await worker.request(path, { method: "HEAD" });
    assert.deepEqual([head.status, await head.text()], [200, ""]);
    const post = await worker.request(path, { method: "POST" });
    assert.deepEqual([post.status, post.headers.get("allow")], [405, "GET, HEAD"]);
  }
  assert.equal(
    (await worker.request("/demo/style.css")).headers.get("content-type"),
    "text/css; charset=utf-8",
  );
});

test("the story tells a person, a scanner and a proxy apart, and only of the demo's mails", async () => {
  const { message, clicks, opens } = await mail();
  assert.match(await (await story(message)).text(), /Nothing has come yet/);
  const chromium = chrome();
  await worker.click(clicks[0], { headers: chromium });
  await worker.click(clicks[1], { ...MICROSOFT, headers: { "User-Agent": chromium["User-Agent"] } });
  const gmail = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
  await worker.click(opens[0], { headers: { "User-Agent": gmail } });
  const records = (await storyOf(message, 3)).split('<li class="record">').slice(1);
  const expected = [
    [
      ">A person<",
      "<code>human</code>",
      "click of <code>tea</code>",
      "no rule for a scanner holds",
      chromium["User-Agent"],
    ],
    [">A scanner<", "</code> microsoft<", "click of <code>cups</code>", "40.92.1.1"],
    [">An image proxy", "proxy_open</code> google", "open of <code>pixel</code>", "GoogleImageProxy"],
  ];
  for (const [at, words] of expected.entries()) {
    for (const word of words) assert.ok(records[at].includes(word), `${word}: ${records[at]}`);
  }
  for (const other of ["spring-1", "", `${message}x`, message.toUpperCase(), message.slice(5)]) {
    assert.equal((await story(other)).status, 404, other);
  }
});

test("a reference goes to the demo's own landing page, and nowhere else", async (t) => {
  const landing = `${worker.origin}/demo/landing?page=tea`;
  const location = async (at, url) => {
    const { hrefs } = await mintCopy(at, { urls: [url] });
    return (await at.click(hrefs[0])).headers.get("location");
  };
  assert.match(await location(worker, landing), /\?page=tea&click=[\w-]{40,}$/);
  const shop = "https://shop.example/demo/landing?page=tea";
  assert.equal(await location(worker, shop), shop);
  const plain = await startWorker();
  t.after(() => plain.close());
  const own = `${plain.origin}/demo/landing?page=tea`;
  assert.equal(await location(plain, own), own);
  const refuses = { "Sec-GPC": "1" };
  const { hrefs } = await mintCopy(worker, { urls: [landing] });
  const answer = await worker.click(hrefs[0], { headers: refuses });
  assert.equal(answer.headers.get("location"), landing);
});

test("a finished campaign is brought in once, and told beside what a naive tracker would say", async () => {
  const page = async () => (await worker.request("/demo/campaign")).text();
  assert.match(await page(), /There is no campaign here yet/);
  const stored = await bringCampaign(worker.api);
  assert.ok(stored > 5_000, `${stored}`);
  const told = await until(async () => {
    const told = await report(worker, CAMPAIGN);
    return told.unsettled === 0 && told;
  });
  assert.ok(told.clicks > 3_000 && told.human_clicks > 1_000, JSON.stringify(told));
  const scanners = ["timeofclick", "safe_attachments", "campaign_view", "air_or_mbi", "gateway"];
  for (const type of scanners) assert.ok(told.by_type[`scanner_${type}`] > 50, type);
  const html = (await page()).replace(/\s+/g, " ");
  const percent = (count) => `${(Math.round((count * 1000) / told.sent) / 10).toFixed(1)} %`;
  for (const count of [told.clicks, told.recipients, told.human_clicks, told.human_recipients, told.sent]) {
    assert.ok(html.includes(count.toLocaleString("en")), `${count}`);
  }
  for (const count of [told.clicks, told.human_recipients]) assert.ok(html.includes(percent(count)));
  const whole = await (await worker.request("/demo/report")).text();
  assert.ok(whole.includes("<svg") && whole.includes(told.title), "its report needs no password");
  assert.ok(!whole.includes(API_TOKEN));
  assert.doesNotMatch(whole, /href="\/report["/?]/, "nor does what it leads to");
  const csv = await worker.request("/demo/report.csv");
  assert.equal(csv.headers.get("content-type"), "text/csv; charset=utf-8");
  assert.equal(await bringCampaign(worker.api), 0);
  assert.equal((await report(worker, CAMPAIGN)).clicks, told.clicks);
});

test("what strangers send is text", async () => {
  const { message, clicks } = await mail();
  const evil = `<script>alert("1")</script><img src=x onerror='alert(1)'>`;
  await worker.click(clicks[0], { ip: evil, headers: { "User-Agent": evil } });
  const html = await storyOf(message, 1);
  assert.ok(!html.includes("<script>alert") && !html.includes("<img"), html);
  assert.ok(html.includes("&lt;script&gt;alert(&quot;1&quot;)"));
});
