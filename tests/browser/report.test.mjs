// The report's pages in a real browser: behind HTTP Basic, without JavaScript, at phone and desktop width, in light and dark, and
// looked over by axe. Set SCREENSHOTS to a directory to look at them yourself.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { ensureChromium } from "../../src/dev/chromium.mjs";
import { MICROSOFT, SAFE_LINKS, chrome, freshMessage, recordAt } from "../worker/clicks.mjs";
import { API_TOKEN, startWorker, until } from "../worker/harness.mjs";
import { assertAccessible } from "./axe.mjs";

const WIDTHS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };
const SHOTS = process.env.SCREENSHOTS;
const PEOPLE = 60;
const SCANNED = 80;
const TITLE = 'Tea & <b>"Biscuits"</b>';
const message_id = freshMessage("report+of=tea");
const address = `/report/${encodeURIComponent(message_id)}`;

let browser, worker;
before(async () => {
  worker = await startWorker({ vars: { SETTLE_MS: 0 } });
  browser = await chromium.launch({ executablePath: await ensureChromium(), args: ["--no-sandbox"] });
  const body = records()
    .map((record) => JSON.stringify(record))
    .join("\n");
  const stored = await worker.api("/v1/records", { method: "POST", body });
  assert.equal(stored.status, 202, await stored.text());
  const about = { title: TITLE, sent: 400, groups: { trial: 100, customers: 300 } };
  const told = await worker.api(`/v1/messages/${encodeURIComponent(message_id)}`, {
    method: "PUT",
    body: about,
  });
  assert.equal(told.status, 204, await told.text());
  await until(async () => (await report()).clicks === PEOPLE + SCANNED, { what: "every click counted" });
});
after(async () => {
  await browser?.close();
  await worker?.close();
});

/** A send of a day ago: Safe Links checks each copy at once, people click over half a day. */
function records() {
  const sent_at_ms = Date.now() - 86_400_000;
  const click = (number, word, late_ms, more) =>
    recordAt(
      {
        message_id,
        recipient_id: `${word}${number}`,
        link_id: `link-${number % 3}`,
        url: `https://shop.example/tea?link=${number % 3}`,
        group: number % 2 ? "customers" : "trial",
        sent_at_ms,
        method: "GET",
      },
      sent_at_ms + late_ms,
      more,
    );
  const headers = chrome();
  const person = {
    ip: "192.0.2.1",
    user_agent: headers["User-Agent"],
    accept: headers.Accept,
    accept_language: headers["Accept-Language"],
  };
  const scanner = { ...MICROSOFT, referer: SAFE_LINKS };
  return [
    ...Array.from({ length: SCANNED }, (_, number) => click(number, "scanned", 1_000 + number * 40, scanner)),
    ...Array.from({ length: PEOPLE }, (_, number) =>
      click(number, "person", 600_000 * (number + 1), { ...person, ip: `192.0.2.${number + 1}` }),
    ),
  ];
}

async function report() {
  const response = await worker.api(`/v1/messages/${encodeURIComponent(message_id)}`);
  return response.json();
}

/** A browser of somebody who knows the token. Its console must stay quiet, and it asks nobody else. */
async function reader(t, options) {
  const context = await browser.newContext({
    httpCredentials: { username: "x", password: API_TOKEN },
    ...options,
  });
  t.after(() => context.close());
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  const asked = new Set();
  page.on("request", (request) => asked.add(request.url().replace(worker.origin, "")));
  return { page, complaints, asked };
}

test("who does not know a token is asked for it", async () => {
  for (const path of ["/report", address, `${address}.csv`]) {
    const bare = await worker.request(path);
    assert.equal(bare.status, 401, path);
    assert.match(bare.headers.get("www-authenticate"), /^Basic realm=/, path);
    const wrong = `Basic ${Buffer.from("x:another-token-of-16").toString("base64")}`;
    assert.equal((await worker.request(path, { headers: { Authorization: wrong } })).status, 401, path);
  }
});

test("from the list to a send's page, without a script and with no request to elsewhere", async (t) => {
  const { page, complaints, asked } = await reader(t, { javaScriptEnabled: false });
  await page.goto(`${worker.origin}/report`);
  assert.equal(await page.locator("tbody tr").count(), 1);
  await page.getByRole("link", { name: TITLE }).click();
  await page.getByRole("heading", { level: 1 }).waitFor();
  assert.equal(new URL(page.url()).pathname, address);
  assert.equal(await page.locator("h1").innerText(), TITLE, "what the sender said is text");
  const numbers = await report();
  const [naive, people] = await page.locator(".numbers strong").allInnerTexts();
  const percent = (part) => `${(Math.round(part * 1_000) / 10).toFixed(1)}\u00a0%`;
  assert.equal(naive, percent(numbers.rates.clicks_per_sent));
  assert.equal(people, percent(numbers.rates.human_recipients_per_sent));
  assert.notEqual(naive, people);
  assert.ok((await page.locator("figure svg[role=img]").count()) >= 2, "plots are there");
  assert.deepEqual(
    [...asked].filter((path) => path !== "/favicon.ico"),
    ["/report", "/report.css", address],
  );
  assert.deepEqual(complaints, []);
});

test("the numbers come as CSV, and an unknown message says that it is one", async (t) => {
  const headers = { Authorization: `Basic ${Buffer.from(`x:${API_TOKEN}`).toString("base64")}` };
  const csv = await worker.request(`${address}.csv`, { headers });
  assert.equal(csv.status, 200);
  assert.match(csv.headers.get("content-type"), /^text\/csv/);
  const text = await csv.text();
  assert.match(text, /^section,name,detail,sent,recipients,human_recipients,clicks,human_clicks\r\n/);
  assert.ok(text.includes(`\r\ntype,human,,,,,${PEOPLE},\r\n`), text);
  const { page } = await reader(t);
  const answer = await page.goto(`${worker.origin}/report/nobody-sent-this`);
  assert.equal(answer.status(), 200);
  await page.getByText("Nothing is known of this message").waitFor();
  const known = await (await worker.api("/v1/messages")).json();
  assert.deepEqual(
    known.messages.map((message) => message.message_id),
    [message_id],
    "looking creates nothing",
  );
});

for (const [size, viewport] of Object.entries(WIDTHS)) {
  for (const colorScheme of ["light", "dark"]) {
    test(`everybody can read it: ${size}, ${colorScheme}`, async (t) => {
      const { page, complaints } = await reader(t, { viewport, colorScheme });
      for (const [what, path_] of [
        ["list", "/report"],
        ["send", address],
        ["unknown", "/report/nobody-sent-this"],
      ]) {
        const answer = await page.goto(worker.origin + path_);
        const headers = answer.headers();
        assert.match(headers["content-security-policy"], /^default-src 'none';.*frame-ancestors 'none'/);
        assert.equal(headers["x-content-type-options"], "nosniff");
        assert.equal(headers["referrer-policy"], "no-referrer");
        const fits = () =>
          document.documentElement.scrollWidth <= document.documentElement.clientWidth &&
          getComputedStyle(document.querySelector("main")).maxWidth !== "none";
        assert.ok(await page.evaluate(fits), `${what}: styled, and nothing sticks out`);
        // Open, so that axe sees the tables, too.
        await page.evaluate(() => document.querySelectorAll("details").forEach((part) => (part.open = true)));
        await assertAccessible(page, what);
        if (SHOTS) {
          mkdirSync(SHOTS, { recursive: true });
          const file = path.join(SHOTS, `report-${what}-${size}-${colorScheme}.png`);
          await page.screenshot({ path: file, fullPage: true });
        }
      }
      assert.deepEqual(complaints, []);
    });
  }
}
