// What the click host shows beside links: what an operator puts into static/site, which starts no Worker, and what there is
// without it.

import assert from "node:assert/strict";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { root } from "../../src/dev/run.mjs";
import { mintCopy, stateDir } from "./clicks.mjs";
import { WELL, startWorker } from "./harness.mjs";

const SITE = path.join(root, "static/site");

async function start(t, options) {
  const worker = await startWorker(options);
  t.after(() => worker.close());
  return worker;
}

test("without an operator's own files the host says what it is, lets robots fetch, has an icon, and no more", async (t) => {
  const worker = await start(t);
  for (const method of ["GET", "HEAD"]) {
    const home = await worker.request("/", { method });
    assert.equal(home.status, 200);
    assert.equal(home.headers.get("content-type"), "text/html; charset=utf-8");
    assert.match(home.headers.get("content-security-policy"), /^default-src 'none'/);
    const robots = await worker.request("/robots.txt", { method });
    assert.equal(robots.status, 200);
    assert.match(robots.headers.get("content-type"), /^text\/plain/);
    const icon = await worker.request("/favicon.ico", { method });
    assert.equal(icon.status, 200);
    assert.match(icon.headers.get("content-type"), /^image\//);
    for (const missing of [
      "/.well-known/assetlinks.json",
      "/.well-known/apple-app-site-association",
      "/apple-app-site-association",
      "/.well-known/security.txt",
    ]) {
      assert.equal((await worker.request(missing, { method })).status, 404, missing);
    }
  }
  const rules = (await (await worker.request("/robots.txt")).text()).split("\n");
  assert.deepEqual(
    rules.filter((line) => line && !line.startsWith("#")),
    ["User-agent: *", "Allow: /"],
  );
});

test("the root says in its visitor's language whose links these are, and who is told of abuse", async (t) => {
  const worker = await start(t, { vars: { BRAND_NAME: "Käse & Co", ABUSE_CONTACT: "abuse@brand.example" } });
  const english = await (await worker.request("/")).text();
  assert.match(english, /Links in emails from Käse &amp; Co lead through this address/);
  assert.match(english, /<a href="mailto:abuse@brand\.example">abuse@brand\.example<\/a>/);
  const german = await worker.request("/", { headers: { "Accept-Language": "de-AT,en;q=0.5" } });
  assert.match(await german.text(), /<html lang="de">[^]*Links in Mails von Käse &amp; Co/);
});

test("security.txt says who is told, and holds for less than a year", async (t) => {
  const worker = await start(t, { vars: { ABUSE_CONTACT: "https://brand.example/abuse" } });
  for (const method of ["GET", "HEAD"]) {
    const file = await worker.request("/.well-known/security.txt", { method });
    assert.deepEqual([file.status, file.headers.get("content-type")], [200, "text/plain; charset=utf-8"]);
  }
  const text = await (await worker.request("/.well-known/security.txt")).text();
  const [, contact, expires] = /^Contact: (.+)\nExpires: (.+)\n$/.exec(text);
  assert.equal(contact, "https://brand.example/abuse");
  const days = (Date.parse(expires) - Date.now()) / 86_400_000;
  assert.ok(days > 150 && days < 365, expires);
  const posted = await worker.request("/.well-known/security.txt", { method: "POST" });
  assert.deepEqual([posted.status, posted.headers.get("allow")], [405, "GET, HEAD"]);
});

test("a link that does not work says so in its visitor's language, and leads to the sender's site", async (t) => {
  const [bare, settled] = [
    await start(t),
    await start(t, { vars: { HOME_URL: "https://brand.example/?a&b" } }),
  ];
  for (const at of ["/c/x", "/o/x", "/u/x", "/nothing"]) {
    for (const [header, lang, heading] of [
      [undefined, "en", "This link does not work"],
      ["pl", "pl", "Ten link nie działa"],
      ["ja, fr-CA;q=0.5", "fr", "Ce lien ne fonctionne pas"],
    ]) {
      const asked = { headers: { "Accept-Language": header } };
      const answer = await bare.request(at, asked);
      assert.equal(answer.status, 404, at);
      assert.equal(answer.headers.get("content-type"), "text/html; charset=utf-8");
      assert.equal(answer.headers.get("cache-control"), "no-store, private");
      assert.match(
        answer.headers.get("content-security-policy"),
        /^default-src 'none'; style-src 'sha256-.*frame-ancestors 'none'/,
      );
      for (const [name, value] of [
        ["x-content-type-options", "nosniff"],
        ["referrer-policy", "no-referrer"],
        ["x-robots-tag", "noindex, nofollow"],
        ["set-cookie", null],
        ["location", null],
      ]) {
        assert.equal(answer.headers.get(name), value, name);
      }
      const html = await answer.text();
      assert.ok(html.includes(`<html lang="${lang}">`) && html.includes(`<h1>${heading}</h1>`), html);
      assert.doesNotMatch(html, /<a /);
      assert.match(
        await (await settled.request(at, asked)).text(),
        /href="https:\/\/brand\.example\/\?a&amp;b"/,
      );
    }
  }
  const head = await settled.request("/c/x", { method: "HEAD" });
  assert.deepEqual([head.status, await head.text()], [404, ""]);
});

test("a link that does not work is told so where the object is gone", async (t) => {
  const script = "export class Broken { async fetch() { throw new Error('no') } } export default {}";
  const worker = await start(t, {
    worker: { durableObjects: { MESSAGES: { className: "Broken", scriptName: "broken" } } },
    workers: [{ name: "broken", modules: true, script, durableObjects: { SELF: "Broken" } }],
  });
  const answer = await worker.request("/c/x");
  assert.equal(answer.status, 404);
  assert.match(await answer.text(), /This link does not work/);
});

test("HOME_URL: the root leads there", async (t) => {
  const worker = await start(t, { vars: { HOME_URL: "https://brand.example/?from=mail" } });
  const home = await worker.request("/");
  assert.deepEqual([home.status, home.headers.get("location")], [302, "https://brand.example/?from=mail"]);
});

test("files that give links to an app are JSON, whatever they are called", async (t) => {
  const site = stateDir(t);
  cpSync(SITE, site, { recursive: true });
  mkdirSync(path.join(site, ".well-known"), { recursive: true });
  const files = {
    ".well-known/apple-app-site-association": {
      applinks: { details: [{ components: [{ "/": "/c/*/app" }] }] },
    },
    "apple-app-site-association": { applinks: {} },
    ".well-known/assetlinks.json": [{ relation: ["delegate_permission/common.handle_all_urls"] }],
  };
  for (const [file, content] of Object.entries(files)) {
    writeFileSync(path.join(site, file), JSON.stringify(content));
  }
  const security = "Contact: mailto:own@brand.example\nExpires: 2027-01-01T00:00:00Z\n";
  writeFileSync(path.join(site, ".well-known/security.txt"), security);
  const worker = await start(t, { site, vars: { ABUSE_CONTACT: "abuse@brand.example" } });
  for (const [file, content] of Object.entries(files)) {
    const answer = await worker.request(`/${file}`);
    // Neither system follows a redirect.
    assert.deepEqual([answer.status, answer.headers.get("content-type")], [200, "application/json"], file);
    assert.deepEqual(await answer.json(), content);
  }
  const answer = await worker.request("/.well-known/security.txt");
  assert.equal(await answer.text(), security, "an operator's own file comes before the settings");
  const beacon = await worker.request("/verify.js");
  assert.equal(beacon.headers.get("cache-control"), "public, max-age=3600");
});

test("an operator's files are shown, and stand in no route's place", async (t) => {
  const site = stateDir(t);
  for (const file of [
    "index.html",
    "favicon.ico",
    ".well-known/assetlinks.json",
    "c/token",
    "verify",
    "healthz",
  ]) {
    mkdirSync(path.dirname(path.join(site, file)), { recursive: true });
    writeFileSync(path.join(site, file), `the operator's ${file}`);
  }
  const worker = await start(t, { site });
  for (const [at, file] of [
    ["/", "index.html"],
    ["/favicon.ico", "favicon.ico"],
    ["/.well-known/assetlinks.json", ".well-known/assetlinks.json"],
  ]) {
    const response = await worker.request(at);
    assert.deepEqual([response.status, await response.text()], [200, `the operator's ${file}`]);
  }
  const { hrefs } = await mintCopy(worker);
  assert.equal((await worker.click(hrefs[0])).status, 302);
  assert.equal((await worker.request("/c/token")).status, 404);
  assert.equal((await worker.request("/verify")).headers.get("content-type"), "image/gif");
  assert.equal(await (await worker.request("/healthz")).text(), WELL);
  assert.equal((await worker.request("/other")).status, 404);
});
