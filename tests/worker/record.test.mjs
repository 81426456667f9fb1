// The click record: what a request shows lands in the log and in the object, field by field.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AMAZON,
  BARRACUDA,
  DESTINATION,
  MICROSOFT,
  SAFE_LINKS,
  chrome,
  clickAndRecord,
  clicksWhen,
  freshMessage,
  mintCopy,
  received,
  recordIn,
  uuidTime,
} from "./clicks.mjs";
import { startWorker } from "./harness.mjs";

let worker;
before(async () => (worker = await startWorker()));
after(() => worker.close());

const FIELDS = {
  "User-Agent": "user_agent",
  Accept: "accept",
  "Accept-Language": "accept_language",
  "Sec-Fetch-Site": "sec_fetch_site",
  "Sec-Fetch-Mode": "sec_fetch_mode",
  "Sec-Fetch-Dest": "sec_fetch_dest",
  "Sec-Fetch-User": "sec_fetch_user",
  "Sec-Purpose": "sec_purpose",
  "Sec-CH-UA": "sec_ch_ua",
  "X-Forwarded-For": "x_forwarded_for",
};

/** Clicks once and returns the edge's line on it. */
async function logged(init, copy = {}) {
  const { message_id, hrefs } = await mintCopy(worker, copy);
  const response = await worker.click(hrefs[0], init);
  assert.equal(response.status, 302);
  return worker.waitForLog((line) => line.event === "click.received" && line.message_id === message_id);
}

/** A header's value as bytes of UTF-8: node writes Latin-1. */
const utf8 = (text) => Buffer.from(text, "utf8").toString("latin1");

test("every field of a request lands in its field, in the log and in the object alike", async () => {
  const message_id = freshMessage();
  const sent_at_ms = Date.now() - 5000;
  const { hrefs } = await mintCopy(worker, {
    message_id,
    sent_at_ms,
    recipient_id: "R~1.x-_",
    group: "gmail.com",
    urls: [DESTINATION, DESTINATION],
  });
  const headers = Object.fromEntries(Object.keys(FIELDS).map((name) => [name, `it is ${name}`]));
  const from = Date.now();
  await worker.click(hrefs[1], {
    ...MICROSOFT,
    headers: {
      ...headers,
      Referer: "https://mail.example/inbox/1?user=anna@brand.example#top",
      "MF-CF-Blob": JSON.stringify({
        asn: 8075,
        country: "IE",
        httpProtocol: "HTTP/2",
        clientAcceptEncoding: "",
      }),
    },
  });
  const until = Date.now();
  const line = await worker.waitForLog((line) => line.message_id === message_id);
  const { event_id, ts_ms, visitor_id, ...rest } = line;
  assert.equal(uuidTime(event_id), ts_ms);
  assert.ok(from - 5 <= ts_ms && ts_ms <= until + 5, "taken when the request came");
  assert.match(visitor_id, /^[0-9a-f]{32}$/);
  const sentAsIs = Object.entries(FIELDS).map(([name, field]) => [field, headers[name]]);
  assert.deepEqual(rest, {
    event: "click.received",
    message_id,
    recipient_id: "R~1.x-_",
    link_id: "l2",
    url: DESTINATION,
    kind: "click",
    sent_at_ms,
    delivered_at_ms: null,
    group: "gmail.com",
    links_total: 2,
    method: "GET",
    ip: MICROSOFT.ip,
    asn: 8075,
    country: "IE",
    http_protocol: "HTTP/2",
    secure: true,
    cookie: "new",
    repeats: null,
    ...Object.fromEntries(sentAsIs),
    referer: "https://mail.example/inbox/1",
    network: rest.network,
    network_vendor: "microsoft",
    network_class: "scanner-certain",
    agent: "no browser's form",
    safelinks_referer: false,
    votes: ["+not_a_navigation"],
  });
  assert.match(rest.network, /./);

  const [listed] = await clicksWhen(worker, message_id, 1);
  const record = recordIn(line);
  const stored = Object.fromEntries(Object.keys(record).map((name) => [name, listed[name]]));
  assert.deepEqual(stored, record);
});

test("the event's name comes first in its line, and the signals speak", async () => {
  const line = await logged({ ip: "192.0.2.9", headers: { Referer: `${SAFE_LINKS}?url=x&data=anna%40b` } });
  assert.equal(Object.keys(line)[0], "event");
  assert.equal(line.referer, SAFE_LINKS, "the wrapper's query holds addresses");
  assert.deepEqual(
    [line.network, line.network_vendor, line.network_class, line.safelinks_referer],
    [null, null, null, true],
  );
});

test("the line says what the request shows by itself: network, agent and votes", async () => {
  for (const [visitor, network, agent, votes] of [
    [{ headers: chrome() }, [null, null, null], null, ["-navigated", "-coherent_headers"]],
    [
      { ...BARRACUDA, headers: { "User-Agent": "curl/8.5.0" } },
      ["Barracuda: Email Gateway Defense", "barracuda", "scanner-certain"],
      "curl",
      [],
    ],
    // Where the prefixes say nothing the AS number does.
    [AMAZON, ["Amazon Web Services", "amazon", "hosting"], null, ["+no_user_agent", "+hosting_network"]],
    [
      { ip: "104.28.28.1", headers: { ...chrome(), "X-Forwarded-For": `10.0.0.1, ${BARRACUDA.ip}` } },
      ["iCloud Private Relay", "apple", "relay"],
      null,
      ["+forwarded_for_scanner", "-navigated", "-coherent_headers", "-private_relay"],
    ],
  ]) {
    const line = await logged(visitor);
    assert.deepEqual([line.network, line.network_vendor, line.network_class], network);
    assert.equal(line.agent, agent);
    assert.deepEqual(line.votes, votes);
  }
});

test("a referer never keeps a query or a fragment", async () => {
  for (const [Referer, referer] of [
    ["https://a.example/x?y=z", "https://a.example/x"],
    ["https://a.example/x#y?z", "https://a.example/x"],
    ["https://a.example/?a?b#c", "https://a.example/"],
    ["android-app://com.google.android.gm/", "android-app://com.google.android.gm/"],
    ["?only", null],
    ["#only", null],
    [`https://a.example/?${"q".repeat(3000)}`, "https://a.example/"],
  ]) {
    assert.equal((await logged({ headers: { Referer } })).referer, referer, Referer);
  }
});

test("absent and empty headers are null", async () => {
  const headers = Object.fromEntries([...Object.keys(FIELDS), "Referer"].map((name) => [name, ""]));
  const bare = await logged({});
  const empty = await logged({ headers });
  for (const line of [bare, empty]) {
    for (const field of [...Object.values(FIELDS), "referer"]) assert.equal(line[field], null, field);
  }
});

test("a long field is cut at 1,024 bytes, between characters", async () => {
  const headers = Object.fromEntries(Object.keys(FIELDS).map((name) => [name, "x".repeat(1030)]));
  const line = await logged({ headers: { ...headers, Referer: `https://a.example/${"p".repeat(2000)}` } });
  for (const field of [...Object.values(FIELDS), "referer"]) assert.equal(line[field].length, 1024, field);

  const exact = await logged({ headers: { "User-Agent": "x".repeat(1024) } });
  assert.equal(exact.user_agent.length, 1024);

  for (const shift of [0, 1, 2]) {
    const agent = "x".repeat(shift) + "€".repeat(400);
    const line = await logged({ headers: { "User-Agent": utf8(agent) } });
    const kept = "x".repeat(shift) + "€".repeat(Math.floor((1024 - shift) / 3));
    assert.equal(line.user_agent, kept);
  }
});

test("odd bytes in headers break neither the redirect nor the record", async () => {
  for (const agent of [utf8("Zażółć 😀"), "\xff\xfe", "tab\tin it", '"}\\', "<script>alert(1)</script>"]) {
    const line = await logged({ headers: { "User-Agent": agent } });
    assert.equal(typeof line.user_agent, "string");
  }
  const line = await logged({ headers: { "User-Agent": utf8("Zażółć 😀") } });
  assert.equal(line.user_agent, "Zażółć 😀");
});

test("older ways to say prefetch count where Sec-Purpose is not sent", async () => {
  assert.equal((await logged({ headers: { Purpose: "prefetch" } })).sec_purpose, "prefetch");
  assert.equal((await logged({ headers: { "X-Moz": "prefetch" } })).sec_purpose, "prefetch");
  const both = { "Sec-Purpose": "prefetch;prerender", Purpose: "preview" };
  assert.equal((await logged({ headers: both })).sec_purpose, "prefetch;prerender");
});

test("what the platform does not tell, or tells oddly, is null, and the protocol some", async () => {
  const cases = [
    [{}, [null, null, "HTTP"]],
    [{ asn: null, country: null, httpProtocol: null }, [null, null, "HTTP"]],
    [{ asn: "8075", country: 7, httpProtocol: [] }, [null, null, "HTTP"]],
    [{ asn: 4294967295, country: "T1", httpProtocol: "HTTP/3" }, [4294967295, "T1", "HTTP/3"]],
    [{ country: "", httpProtocol: "" }, [null, null, "HTTP"]],
  ];
  for (const [cf, expected] of cases) {
    const blob = JSON.stringify({ ...cf, clientAcceptEncoding: "" });
    const line = await logged({ headers: { "MF-CF-Blob": blob } });
    assert.deepEqual([line.asn, line.country, line.http_protocol], expected, blob);
  }
});

test("an address is recorded as it is given, and a broken one breaks nothing", async () => {
  for (const ip of ["2a01:111::1", "::ffff:40.92.1.1", "not an address", "999.1.1.1"]) {
    const line = await logged({ ip });
    assert.equal(line.ip, ip);
    const microsoft = ip.startsWith("2a01") || ip.startsWith("::ffff");
    assert.equal(line.network_vendor, microsoft ? "microsoft" : null, ip);
  }
});

test("the AS number says where the prefixes say nothing, and no more than whose it is", async () => {
  const line = await logged({ ip: "192.0.2.1", asn: 8075 });
  assert.deepEqual(
    [line.asn, line.network, line.network_vendor, line.network_class],
    [8075, "Microsoft: AS numbers", "microsoft", "hosting"],
  );
  const filter = await logged({ ip: MICROSOFT.ip, asn: 16509 });
  assert.deepEqual([filter.network_vendor, filter.network_class], ["microsoft", "scanner-certain"]);
  assert.equal((await logged({ ip: "192.0.2.1", asn: 64496 })).network, null);
});

test("secure: https, or this machine by any of its names", async () => {
  for (const [origin, secure] of [
    ["http://127.0.0.1:8787", true],
    ["http://localhost", true],
    ["http://click.localhost:8787", true],
    ["http://[::1]:8787", true],
    ["https://click.brand.example", true],
    ["http://click.brand.example", false],
    ["http://click.brand.example:443", false],
    ["http://notlocalhost", false],
    ["http://localhost.brand.example", false],
    ["http://127.0.0.2", false],
  ]) {
    const { message_id, hrefs } = await mintCopy(worker);
    const at = hrefs[0].slice(hrefs[0].indexOf("/c/"));
    // How the local runtime is told which URL a request was made to.
    await worker.click(hrefs[0], { headers: { "MF-Original-URL": origin + at } });
    const line = await worker.waitForLog((line) => line.message_id === message_id);
    assert.equal(line.secure, secure, origin);
  }
});

test("ids ascend, click by click, and carry the click's time", async () => {
  const { message_id, hrefs } = await mintCopy(worker, {
    urls: [DESTINATION, `${DESTINATION}&b`, "http://c"],
  });
  for (let n = 0; n < 200; n++) await worker.click(hrefs[n % 3]);
  const lines = await received(worker, message_id);
  assert.equal(lines.length, 200, "one line for each request");
  const ids = lines.map(({ event_id }) => event_id);
  assert.deepEqual(ids, ids.toSorted());
  assert.equal(new Set(ids).size, 200);
  for (const { event_id, ts_ms } of lines) assert.equal(uuidTime(event_id), ts_ms);
  const listed = await clicksWhen(worker, message_id, 200);
  assert.deepEqual(
    listed.map(({ event_id }) => event_id),
    ids,
    "listed oldest first",
  );
});

test("each request is one line, HEAD and repeated ones too", async () => {
  const { message_id, hrefs } = await mintCopy(worker);
  await clickAndRecord(worker, hrefs[0]);
  await clickAndRecord(worker, hrefs[0], { method: "HEAD" });
  await clickAndRecord(worker, hrefs[0]);
  const lines = await received(worker, message_id);
  assert.deepEqual(
    lines.map(({ method }) => method),
    ["GET", "HEAD", "GET"],
  );
});
