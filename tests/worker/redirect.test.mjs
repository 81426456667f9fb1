// What somebody who follows a tracked link gets, and what nobody can make of a link.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  DESTINATION,
  MICROSOFT,
  SAFE_LINKS,
  clickAndRecord,
  clicksWhen,
  freshMessage,
  mintCopy,
  ownHeaders,
  received,
  report,
} from "./clicks.mjs";
import { WELL, startWorker } from "./harness.mjs";

let worker;
before(async () => (worker = await startWorker()));
after(() => worker.close());

const token = (href) => href.slice(href.lastIndexOf("/") + 1);
const refusals = () =>
  worker.logs.filter((line) => line.event === "link.refused").map(({ reason }) => reason);

test("every legal URL comes back byte for byte", async () => {
  const longest = `https://shop.example/?q=${"%C3%A9".repeat(600)}`;
  const urls = [
    "https://shop.example",
    "https://shop.example/a%20b/%C3%A9t%c3%a9?q=%2F%26&r=1+2",
    "http://SHOP.Example:80/Up/Case",
    "https://shop.example:443/#top",
    "https://shop.example/a/../b/./c//d/",
    "https://shop.example?only=query",
    "https://shop.example#only-fragment",
    "https://shop.example/%zz%/100%",
    'https://shop.example/!$&\'()*+,;=:@~-._[]{}|\\^"<>`?[]{}|\\^"<>`#[]{}|\\^"<>`',
    "https://shop.example/?next=https://other.example/@user:pass",
    "http://[2001:db8::1]:8080/v6",
    "http://192.0.2.7/v4",
    "https://xn--caf-dma.example./trailing-dot",
    longest.padEnd(4096, "x"),
  ];
  const { message_id, hrefs } = await mintCopy(worker, { urls });
  for (const [at, href] of hrefs.entries()) {
    const response = await worker.click(href);
    assert.equal(response.status, 302, urls[at]);
    assert.equal(response.headers.get("location"), urls[at]);
  }
  const clicks = await clicksWhen(worker, message_id, urls.length);
  assert.deepEqual(
    clicks.map(({ url }) => url),
    urls,
    "the record holds the same bytes",
  );
});

test("the answer is a 302 with the contract's headers, no body and nothing else", async () => {
  const { hrefs } = await mintCopy(worker);
  const response = await worker.click(hrefs[0]);
  assert.equal(response.status, 302);
  const { "set-cookie": cookie, ...headers } = ownHeaders(response);
  assert.match(cookie, /^__Host-cp=/);
  assert.deepEqual(headers, {
    location: DESTINATION,
    "cache-control": "no-store, private",
    "x-robots-tag": "noindex, nofollow",
  });
  assert.equal(await response.text(), "");
});

test("people and scanners get the same answer", async () => {
  const { hrefs } = await mintCopy(worker);
  const visitors = [
    {},
    { ...MICROSOFT, headers: { Referer: SAFE_LINKS } },
    { ...MICROSOFT, headers: { "User-Agent": "Mozilla/4.0 (compatible; ms-office; MSOffice 16)" } },
    { headers: { "User-Agent": "BarracudaSentinel", "Sec-Purpose": "prefetch" } },
  ];
  const answers = [];
  for (const visitor of visitors) {
    const response = await worker.click(hrefs[0], visitor);
    const { "set-cookie": cookie, ...headers } = ownHeaders(response);
    const attributes = cookie.slice(cookie.indexOf(";"));
    answers.push({ status: response.status, headers, attributes, length: cookie.length });
  }
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
});

test("HEAD has GET's headers without the cookie, and is a click by that method", async () => {
  const { message_id, hrefs } = await mintCopy(worker);
  const { "set-cookie": _, ...expected } = ownHeaders(await worker.click(hrefs[0]));
  const response = await worker.click(hrefs[0], { method: "HEAD" });
  assert.equal(response.status, 302);
  assert.deepEqual(ownHeaders(response), expected);
  assert.equal(await response.text(), "");
  const clicks = await clicksWhen(worker, message_id, 2);
  assert.deepEqual(
    clicks.map(({ method, cookie }) => [method, cookie]),
    [
      ["GET", "new"],
      ["HEAD", "none"],
    ],
  );
});

test("another method is refused with what is allowed, and is no click", async () => {
  const { message_id, hrefs } = await mintCopy(worker);
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    const response = await worker.click(hrefs[0], { method });
    assert.equal(response.status, 405, method);
    assert.equal(response.headers.get("allow"), "GET, HEAD");
    assert.equal(response.headers.get("location"), null);
    assert.equal(response.headers.get("set-cookie"), null);
  }
  assert.deepEqual(await received(worker, message_id), []);
  assert.equal((await report(worker, message_id)).clicks, 0);
});

test("what mail clients glue on behind a link does not break it", async () => {
  const { message_id, hrefs } = await mintCopy(worker);
  // A bare `>` the runtime refuses by itself.
  const glued = [
    ".",
    ",",
    ")",
    "%3E",
    "%20",
    "%C2%A0",
    "/",
    "/x",
    "/x/y.html",
    "&amp;x=1",
    "&x=1",
    "?utm=1",
    "?",
    "?a=b?c=d",
    ").",
    "=",
    "=3D",
    ";jsessionid=1",
    "'",
    '"',
    "%22%3Eclick",
    "]",
    "*",
    "!",
    ":",
    "|",
    "~",
    "+",
    "@brand",
  ];
  for (const junk of glued) {
    const path = `/c/${token(hrefs[0])}${junk}`;
    const { response, record } = await clickAndRecord(worker, hrefs[0], { path });
    assert.equal(response.headers.get("location"), DESTINATION, junk);
    assert.equal(record.message_id, message_id);
  }
  await clicksWhen(worker, message_id, glued.length);
});

test("a token that is altered, misspelt, empty or of another kind is a 404 page and nothing more", async () => {
  const message_id = freshMessage();
  const { links } = await worker.mint({
    message_id,
    recipient_id: "r1",
    sent_at_ms: Date.now(),
    links: [
      { link_id: "good", url: DESTINATION },
      { link_id: "open", kind: "open" },
      { link_id: "unsubscribe", kind: "unsubscribe" },
      { link_id: "confirm", kind: "confirm", url: DESTINATION },
    ],
  });
  const [good, ...others] = links.map(({ href }) => token(href));
  const flip = (at) => good.slice(0, at) + (good[at] === "A" ? "B" : "A") + good.slice(at + 1);
  const middle = Math.floor(good.length / 2);
  const bad = [
    ...others.map((other) => [other, "wrong_kind"]),
    [flip(middle), "forged"],
    [flip(good.length - 4), "forged"],
    [flip(0), "unknown_version"],
    ["", "malformed"],
    [".", "malformed"],
    ["x", "malformed"],
    [`${good}AAAA`, "forged"],
    [good.slice(0, 8), "malformed"],
    [` ${good}`.replace(" ", "%20"), "malformed"],
    ["A".repeat(6145), "malformed"],
    ["favicon.ico", "malformed"],
  ];
  const before = refusals().length;
  for (const [path] of bad) {
    for (const method of ["GET", "HEAD"]) {
      const response = await worker.click(good, { method, path: `/c/${path}` });
      assert.equal(response.status, 404, path);
      const { "content-security-policy": policy, ...headers } = ownHeaders(response);
      assert.match(policy, /^default-src 'none';/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.deepEqual(headers, {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store, private",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex, nofollow",
      });
      const text = await response.text();
      assert.equal(/^<!doctype html>/i.test(text), method === "GET", path);
    }
  }
  assert.deepEqual(await received(worker, message_id), []);
  const reasons = bad.flatMap(([, reason]) => [reason, reason]);
  assert.deepEqual(refusals().slice(before), reasons, "each is one log line that says why");
  assert.equal((await report(worker, message_id)).clicks, 0);
});

test("a second spelling of a token's last character is refused", async () => {
  // Of three lengths in a row two end in a character with bits to spare.
  for (const path of ["", "a", "ab"]) {
    const { hrefs } = await mintCopy(worker, { urls: [`https://shop.example/${path}`] });
    const good = token(hrefs[0]);
    const stray = { 0: 0, 2: 4, 3: 2 }[good.length % 4];
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = alphabet.indexOf(good.at(-1));
    for (let other = 1; other < 2 ** stray; other++) {
      const response = await worker.click(good.slice(0, -1) + alphabet[last + other]);
      assert.equal(response.status, 404, `${good} with its last character moved by ${other}`);
    }
    assert.equal((await worker.click(good)).status, 302);
  }
});

test("what is not there is a 404 page", async () => {
  const paths = ["/c", "/C/x", "/u/x", "/verify/", "/verify.gif", "/reports", "/favicon.png", "/demo"];
  const others = ["/healthz/", "/v2", "//c/x", "/..%2fc"];
  // What only reads has its own word for another method.
  for (const path of [...paths, ...others, "/o/x", "/o/x.gif"]) {
    for (const method of path.startsWith("/o/") ? ["GET", "HEAD"] : ["GET", "HEAD", "POST"]) {
      const response = await worker.request("/", { method, path });
      assert.equal(response.status, 404, `${method} ${path}`);
      assert.match(response.headers.get("content-type"), /^text\/html/);
      assert.equal(response.headers.get("location"), null);
    }
  }
});

test("/healthz says ok and the running version when all is well", async () => {
  const response = await worker.request("/healthz");
  assert.equal(response.status, 200);
  assert.equal(await response.text(), WELL);
  const head = await worker.request("/healthz", { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), "");
  assert.equal((await worker.request("/healthz", { method: "POST" })).status, 405);
});
