// What landing pages tell the worker: which click a view is credited to, what proves nothing and why, and how both the
// beacon's script and its requests are answered.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { clickAndRecord, clicksWhen, freshMessage, mintCopy, ownHeaders } from "./clicks.mjs";
import { LINK_KEYS, startWorker, until } from "./harness.mjs";

const DAY_MS = 86_400_000;
const SCRIPT_LIMIT = 1_500;

let worker;
before(async () => (worker = await startWorker({ vars: { CLICK_REF_PARAM: "cp" } })));
after(() => worker.close());

const views = () => worker.logs.filter(({ event }) => event.startsWith("verify."));

/** Asks for `/verify` and waits for the worker's line on it. */
async function view(query = "", init = {}) {
  const seen = views().length;
  const response = await worker.request(`/verify${query}`, init);
  assert.equal(response.status, init.method === "POST" ? 204 : 200);
  const line = await until(() => views()[seen], { what: "the line on a view" });
  assert.equal(views().length, seen + 1, "one line a view");
  return { response, line };
}

const touch = (query, init) => view(query, { method: "POST", ...init });

/** Clicks a link of its own: what the browser would have afterwards. */
async function clicked(url = "https://shop.example/", headers = {}, from = worker) {
  const { message_id, hrefs } = await mintCopy(from, { urls: [url] });
  const { response, record } = await clickAndRecord(from, hrefs[0], { headers });
  const [, reference] = /[?&]cp=([\w-]+)/.exec(response.headers.get("location")) ?? [];
  const cookie = response.headers.getSetCookie()[0]?.split(";")[0];
  return { message_id, event_id: record.event_id, reference, cookie, response };
}

/** A reference as the format's table says, made by other means. */
function reference(event_id, object, { version = 1, kid = "k1", label = "reference" } = {}) {
  const secret = Buffer.from(LINK_KEYS.split(":")[1], "base64");
  const mac = (key, ...parts) =>
    parts.reduce((hmac, part) => hmac.update(part), createHmac("sha256", key)).digest();
  const key = mac(secret, `clickproof ${label} 1`, Buffer.from([1]));
  const bytes = Buffer.concat([
    Buffer.from([version, kid.length]),
    Buffer.from(kid),
    Buffer.from(event_id.replaceAll("-", ""), "hex"),
    Buffer.from([object.length]),
    Buffer.from(object),
  ]);
  return Buffer.concat([bytes, mac(key, bytes).subarray(0, 16)]).toString("base64url");
}

/** The id of a click at that time. */
const idOf = (ts_ms) => {
  const hex = ts_ms.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
};

test("a view by reference is its click's, and a touch says how long it took", async () => {
  const { message_id, event_id, reference } = await clicked();
  const { line: shown } = await view(`?r=${reference}`);
  assert.deepEqual(shown, {
    event: "verify.received",
    event_id,
    verified: "rendered",
    by: "reference",
    since_load_ms: null,
  });
  const { line: touched } = await touch(`?r=${reference}`, { body: "1234" });
  assert.deepEqual(touched, { ...shown, verified: "interacted", since_load_ms: 1234 });
  const { line: among } = await view(`?v=1&r=${reference}&utm=x`);
  assert.equal(among.event_id, event_id);
  const [click] = await clicksWhen(worker, message_id, 1, ({ verified }) => verified === "interacted");
  assert.equal(click.event_id, event_id, "and the message knows");
});

test("the reference is what the format's table says", async () => {
  const { message_id, event_id, reference: made } = await clicked();
  assert.equal(made, reference(event_id, message_id));
});

test("a view with the cookie is the newest click's that led to the page's host, else the newest's", async () => {
  const one = await clicked("https://one.example/");
  const other = await clicked("https://other.example/", { Cookie: one.cookie });
  const Cookie = `a=b; ${other.cookie}`;
  for (const [headers, { event_id }] of [
    [{}, other],
    [{ Referer: "https://one.example/page?x=1" }, one],
    [{ Referer: "https://other.example/" }, other],
    [{ Origin: "https://ONE.example:8443" }, one],
    [{ Origin: "null" }, other],
    [{ Referer: "https://else.example/", Origin: "https://one.example" }, other],
    [{ "Sec-GPC": "0", Referer: "https://one.example/" }, one],
  ]) {
    for (const show of [view, touch]) {
      const { line } = await show("", { headers: { Cookie, ...headers } });
      assert.deepEqual([line.event_id, line.by], [event_id, "cookie"], JSON.stringify(headers));
    }
  }
  const { line } = await touch(`?r=${one.reference}`, { headers: { Cookie } });
  assert.equal(line.event_id, one.event_id, "a reference goes before the cookie");
});

test("what stands in a touch's body never fails its answer", async () => {
  const { event_id, reference } = await clicked();
  for (const [body, since_load_ms] of [
    ["0", 0],
    [String(DAY_MS), DAY_MS],
    [String(DAY_MS + 1), null],
    ["-1", null],
    ["1.5", null],
    ["NaN", null],
    ["", null],
    [undefined, null],
    ["\0\xff", null],
    ["9".repeat(100_000), null],
  ]) {
    const { line } = await touch(`?r=${reference}`, { body });
    assert.deepEqual([line.event_id, line.since_load_ms], [event_id, since_load_ms]);
  }
});

test("what is forged, foreign, expired or unwanted proves nothing, whatever the cookie, and says why", async (t) => {
  const strangers = [];
  for (const kid of ["k1", "k2"]) {
    const LINK_KEYS = `${kid}:${Buffer.alloc(32, 8).toString("base64")}`;
    const stranger = await startWorker({ vars: { CLICK_REF_PARAM: "cp", LINK_KEYS } });
    t.after(() => stranger.close());
    strangers.push(await clicked(undefined, {}, stranger));
  }
  const mine = await clicked();
  const { message_id, event_id, cookie } = mine;
  const good = mine.reference;
  const at = good.length - 30;
  const altered = good.slice(0, at) + (good[at] === "A" ? "B" : "A") + good.slice(at + 1);
  const cut = Buffer.from(good, "base64url").subarray(0, -3).toString("base64url");
  const ago = (ms) => reference(idOf(Date.now() - ms), message_id);
  const Cookie = cookie;
  for (const [words, query, headers, reason] of [
    ["altered", `?r=${altered}`, { Cookie }, "forged"],
    ["of the same key's name elsewhere", `?r=${strangers[0].reference}`, { Cookie }, "forged"],
    ["of another key", `?r=${strangers[1].reference}`, { Cookie }, "unknown_key"],
    [
      "of a version to come",
      `?r=${reference(event_id, message_id, { version: 2 })}`,
      { Cookie },
      "unknown_version",
    ],
    ["signed as a link", `?r=${reference(event_id, message_id, { label: "token" })}`, { Cookie }, "forged"],
    ["the cookie itself", `?r=${cookie.split("=")[1]}`, { Cookie }, "forged"],
    ["cut", `?r=${cut}`, { Cookie }, "forged"],
    ["with something behind it", `?r=${good}.`, { Cookie }, "malformed"],
    ["empty", "?r=", { Cookie }, "malformed"],
    ["a bad one before a good one", `?r=x&r=${good}`, { Cookie }, "malformed"],
    ["a day and a second old", `?r=${ago(DAY_MS + 1_000)}`, { Cookie }, "expired"],
    ["under GPC", `?r=${good}`, { Cookie, "Sec-GPC": "1" }, "gpc"],
    ["under GPC by cookie", "", { Cookie, "Sec-GPC": "1" }, "gpc"],
    ["prefetched", `?r=${good}`, { Cookie, "Sec-Purpose": "prefetch" }, "prefetch"],
    ["prerendered, by cookie", "", { Cookie, "Sec-Purpose": "prefetch;prerender" }, "prefetch"],
    ["prefetched, by an older browser", "", { Cookie, Purpose: "prefetch" }, "prefetch"],
    ["neither", "", {}, "no_click"],
    ["a cookie of others", "", { Cookie: strangers[0].cookie }, "no_click"],
    ["no cookie of ours", "?q=1", { Cookie: "a=b" }, "no_click"],
  ]) {
    for (const show of [view, touch]) {
      const { line } = await show(query, { headers, body: show === touch ? "5" : undefined });
      assert.deepEqual(line, { event: "verify.refused", reason }, words);
    }
  }
  const { line } = await view(`?r=${good}`, { method: "HEAD", headers: { Cookie } });
  assert.deepEqual(line, { event: "verify.refused", reason: "head" });
  // The first that counts is the first that changes anything: no touch before it did.
  await view(`?r=${good}`);
  const [click] = await clicksWhen(worker, message_id, 1, ({ verified }) => verified !== "none");
  assert.deepEqual([click.event_id, click.verified], [event_id, "rendered"]);
  const { line: yesterday } = await view(`?r=${ago(DAY_MS - 60_000)}`);
  assert.equal(yesterday.event, "verify.received", "a minute before it expires it is good");
});

test("both answers are the same whatever they prove", async () => {
  const { reference } = await clicked();
  // GIF89a, one transparent pixel, 43 bytes.
  const gif = Buffer.from("R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==", "base64");
  for (const [query, headers] of [
    [`?r=${reference}`, {}],
    ["?r=x", {}],
    ["", { "Sec-GPC": "1" }],
  ]) {
    const { response: shown } = await view(query, { headers });
    assert.deepEqual(Buffer.from(await shown.arrayBuffer()), gif);
    const of = { "cache-control": "no-store, private", "cross-origin-resource-policy": "cross-origin" };
    const image = { ...of, "content-type": "image/gif", "x-content-type-options": "nosniff" };
    assert.deepEqual(ownHeaders(shown), image);
    const { response: head } = await view(query, { headers, method: "HEAD" });
    assert.deepEqual(ownHeaders(head), image);
    const { response: touched } = await touch(query, { headers });
    assert.deepEqual(ownHeaders(touched), of);
  }
});

test("other methods are refused", async () => {
  for (const [path, method, allow] of [
    ["/verify", "PUT", "GET, HEAD, POST"],
    ["/verify", "DELETE", "GET, HEAD, POST"],
    ["/verify", "OPTIONS", "GET, HEAD, POST"],
  ]) {
    const response = await worker.request(path, { method });
    assert.deepEqual([response.status, response.headers.get("allow")], [405, allow], `${method} ${path}`);
  }
  // The platform's own answer says no more.
  assert.equal((await worker.request("/verify.js", { method: "POST" })).status, 405);
  for (const path of ["/verify/", "/verify.gif", "/verify.js/", "/Verify"]) {
    assert.equal((await worker.request(path)).status, 404, path);
  }
});

test("the script is small, cached, and runs on pages of any site", async () => {
  const response = await worker.request("/verify.js");
  assert.equal(response.status, 200);
  const { etag, "cf-cache-status": _, ...headers } = ownHeaders(response);
  assert.deepEqual(headers, {
    "cache-control": "public, max-age=3600",
    "content-type": "text/javascript; charset=utf-8",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
  });
  const again = await worker.request("/verify.js", { headers: { "If-None-Match": etag } });
  assert.equal(again.status, 304);
  const { length } = gzipSync(await response.text(), { level: 9 });
  assert.ok(length < SCRIPT_LIMIT, `${length} bytes gzipped`);
  assert.equal((await worker.request("/verify.js", { method: "HEAD" })).status, 200);
});

test("the redirect adds the reference behind the query and changes nothing else", async () => {
  const message_id = freshMessage();
  const urls = [
    ["https://x.example", "https://x.example?cp=*"],
    ["https://x.example/p?a=%20&b", "https://x.example/p?a=%20&b&cp=*"],
    ["https://x.example/p?", "https://x.example/p?&cp=*"],
    ["https://x.example/p?a&", "https://x.example/p?a&&cp=*"],
    ["https://x.example/p?cp=mine#/route?x=1", "https://x.example/p?cp=mine&cp=*#/route?x=1"],
    ["https://x.example#f?g", "https://x.example?cp=*#f?g"],
  ];
  const { hrefs } = await mintCopy(worker, { message_id, urls: urls.map(([url]) => url) });
  for (const [at, [url, expected]] of urls.entries()) {
    for (const method of ["GET", "HEAD"]) {
      const { response, record } = await clickAndRecord(worker, hrefs[at], { method });
      const location = expected.replace("*", reference(record.event_id, message_id));
      assert.equal(response.headers.get("location"), location);
      assert.equal(record.url, url, "the record holds the URL as it was minted");
    }
    const { response } = await clickAndRecord(worker, hrefs[at], { headers: { "Sec-GPC": "1" } });
    assert.equal(response.headers.get("location"), url, "under GPC it is as it was minted");
  }
});

test("COOKIE=off: the cookie is not read, and references work", async (t) => {
  const { cookie } = await clicked();
  const off = await startWorker({ vars: { CLICK_REF_PARAM: "cp", COOKIE: "off" } });
  t.after(() => off.close());
  const { event_id, reference } = await clicked(undefined, {}, off);
  await off.request("/verify", { headers: { Cookie: cookie } });
  await off.request(`/verify?r=${reference}`, { headers: { Cookie: cookie } });
  const seen = () => off.logs.filter(({ event }) => event.startsWith("verify."));
  await until(() => seen().length === 2);
  assert.deepEqual(
    seen().map(({ event, reason, event_id }) => [event, reason ?? event_id]),
    [
      ["verify.refused", "no_click"],
      ["verify.received", event_id],
    ],
  );
});

test("without keys the page still gets its answers", async (t) => {
  const { reference } = await clicked();
  const keyless = await startWorker({ vars: { LINK_KEYS: undefined } });
  t.after(() => keyless.close());
  assert.equal((await keyless.request(`/verify?r=${reference}`)).headers.get("content-type"), "image/gif");
  assert.equal((await keyless.request(`/verify?r=${reference}`, { method: "POST", body: "1" })).status, 204);
  const refused = () => keyless.logs.filter(({ event }) => event === "verify.refused");
  await until(() => refused().length === 2);
  assert.deepEqual(
    refused().map(({ reason }) => reason),
    ["no_keys", "no_keys"],
  );
});
