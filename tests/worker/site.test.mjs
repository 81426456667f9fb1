// What the click host shows beside links: what an operator puts into static/site, which starts no Worker, and what there is
// without it.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { mintCopy, stateDir } from "./clicks.mjs";
import { WELL, startWorker } from "./harness.mjs";

async function start(t, options) {
  const worker = await startWorker(options);
  t.after(() => worker.close());
  return worker;
}

test("without a site the host says what it is, lets robots fetch, and has no icon", async (t) => {
  const worker = await start(t);
  for (const method of ["GET", "HEAD"]) {
    const home = await worker.request("/", { method });
    assert.equal(home.status, 200);
    assert.equal(home.headers.get("content-type"), "text/html; charset=utf-8");
    assert.match(home.headers.get("content-security-policy"), /^default-src 'none'/);
    const robots = await worker.request("/robots.txt", { method });
    assert.equal(robots.status, 200);
    assert.match(robots.headers.get("content-type"), /^text\/plain/);
    for (const missing of ["/favicon.ico", "/.well-known/assetlinks.json", "/apple-app-site-association"]) {
      assert.equal((await worker.request(missing, { method })).status, 404, missing);
    }
  }
  const rules = (await (await worker.request("/robots.txt")).text()).split("\n");
  assert.deepEqual(
    rules.filter((line) => line && !line.startsWith("#")),
    ["User-agent: *", "Allow: /"],
  );
});

test("HOME_URL: the root leads there", async (t) => {
  const worker = await start(t, { vars: { HOME_URL: "https://brand.example/?from=mail" } });
  const home = await worker.request("/");
  assert.deepEqual([home.status, home.headers.get("location")], [302, "https://brand.example/?from=mail"]);
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
