// What senders ask: who may, in which words, and what they are told.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import {
  chrome,
  DESTINATION,
  MICROSOFT,
  SAFE_LINKS,
  SIX_URLS,
  clickAsPair,
  clicksWhen,
  freshMessage,
  listClicks,
  mintCopy,
  parseLines,
  report,
  settledClicks,
  stateDir,
} from "./clicks.mjs";
import { API_TOKEN, startWorker, until } from "./harness.mjs";

const CAMPAIGN_RECIPIENTS = 4;

let worker;
before(async () => (worker = await startWorker({ vars: { SETTLE_MS: 0, CAMPAIGN_RECIPIENTS } })));
after(() => worker.close());

const LINKS_BODY = {
  message_id: "m",
  recipient_id: "r",
  sent_at_ms: 1_790_000_000_000,
  links: [{ link_id: "l", url: DESTINATION }],
};

async function error(response, status, code) {
  assert.equal(response.status, status);
  assert.equal(response.headers.get("content-type"), "application/json");
  const { error } = await response.json();
  assert.equal(error.code, code);
  assert.match(error.message, /./);
  return error.message;
}

test("every call needs the token, whatever else is wrong with it", async () => {
  const calls = [
    ["POST", "/v1/links"],
    ["POST", "/v1/records"],
    ["GET", "/v1/messages/m"],
    ["HEAD", "/v1/messages/m"],
    ["GET", "/v1/messages/m/clicks"],
    ["GET", "/v1/messages/m/clicks/x"],
    ["POST", "/v1/messages/m/reship"],
    ["POST", "/v1/messages/m/deliveries"],
    ["DELETE", "/v1/links"],
    ["GET", "/v1/nothing"],
    ["GET", "/v1"],
  ];
  const wrong = [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    `Basic ${API_TOKEN}`,
    API_TOKEN,
    `Bearer ${API_TOKEN}x`,
    `Bearer ${API_TOKEN.slice(0, -1)}`,
    `Bearer ${API_TOKEN.toUpperCase()}`,
    `Bearer ${API_TOKEN} ${API_TOKEN}`,
    `Bearer${API_TOKEN}`,
  ];
  for (const [method, path] of calls) {
    for (const Authorization of wrong) {
      const response = await worker.request(path, { method, headers: { Authorization } });
      assert.equal(response.headers.get("www-authenticate"), "Bearer", `${method} ${path} ${Authorization}`);
      if (method === "HEAD") assert.equal(response.status, 401);
      else await error(response, 401, "unauthorized");
    }
  }
  const lower = { Authorization: `bearer ${API_TOKEN}` };
  assert.equal((await worker.request("/v1/messages/m", { headers: lower })).status, 200);
});

test("an empty or missing API_TOKEN refuses everything", async (t) => {
  for (const token of ["", undefined]) {
    const closed = await startWorker({ vars: { API_TOKEN: token } });
    for (const Authorization of ["Bearer ", "Bearer", "Bearer  ", "", undefined, "Bearer undefined"]) {
      const response = await closed.request("/v1/messages/m", { headers: { Authorization } });
      await error(response, 401, "unauthorized");
    }
    assert.match(await (await closed.request("/healthz")).text(), /^API_TOKEN: /);
    await closed.close();
  }
});

test("another method is refused with what is allowed", async () => {
  for (const [path, allow, methods] of [
    ["/v1/links", "POST", ["GET", "HEAD", "PUT", "DELETE"]],
    ["/v1/records", "POST", ["GET", "HEAD", "PUT", "DELETE"]],
    ["/v1/messages", "GET, HEAD", ["POST", "PUT", "DELETE"]],
    ["/v1/messages/m", "GET, HEAD, PUT, DELETE", ["POST", "PATCH"]],
    ["/v1/messages/m/recipients/r", "DELETE", ["GET", "HEAD", "POST", "PUT"]],
    ["/v1/messages/m/clicks", "GET, HEAD", ["POST", "DELETE"]],
    ["/v1/messages/m/clicks/x", "GET, HEAD", ["POST", "PUT", "DELETE"]],
    ["/v1/messages/m/deliveries", "POST", ["GET", "HEAD", "PUT"]],
    ["/v1/messages/m/reship", "POST", ["GET", "HEAD", "DELETE"]],
  ]) {
    for (const method of methods) {
      const response = await worker.api(path, { method });
      assert.equal(response.headers.get("allow"), allow, `${method} ${path}`);
      if (method === "HEAD") assert.equal(response.status, 405);
      else await error(response, 405, "method_not_allowed");
    }
  }
});

test("what is not there is a 404 in the API's words", async () => {
  const none = [
    "/v1",
    "/v1/",
    "/v1/links/",
    "/v1/link",
    "/v1/records/",
    "/v1/messages/m/",
    "/v1/messages/m/x",
    "/v1/messages/m/clickss",
  ];
  for (const path of none) {
    await error(await worker.api(path), 404, "not_found");
  }
});

test("HEAD answers as GET does, without a body", async () => {
  const { message_id, hrefs } = await mintCopy(worker);
  await worker.click(hrefs[0]);
  await clicksWhen(worker, message_id, 1);
  for (const rest of ["", "/clicks"]) {
    const get = await worker.api(`/v1/messages/${message_id}${rest}`);
    const head = await worker.api(`/v1/messages/${message_id}${rest}`, { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), "");
    for (const name of ["content-type", "cache-control"]) {
      assert.equal(head.headers.get(name), get.headers.get(name));
    }
    assert.match(get.headers.get("cache-control"), /no-store/);
  }
});

test("a body may have 1 MiB and no byte more, however it is sent", async () => {
  const json = JSON.stringify(LINKS_BODY);
  const most = 2 ** 20;
  const sent = (bytes, headers) =>
    worker.api("/v1/links", { method: "POST", body: json + " ".repeat(bytes - json.length), headers });
  for (const headers of [{}, { "Transfer-Encoding": "chunked" }]) {
    assert.equal((await sent(most, headers)).status, 200);
    await error(await sent(most + 1, headers), 413, "too_large");
    await error(await sent(3 * most, headers), 413, "too_large");
  }
  const deliveries = await worker.api("/v1/messages/m/deliveries", {
    method: "POST",
    body: `[${" ".repeat(most)}]`,
  });
  await error(deliveries, 413, "too_large");
});

test("a bad body of /v1/links is refused, naming the field, and mints nothing", async () => {
  const link = (fields) => ({ ...LINKS_BODY, links: [{ link_id: "l", url: DESTINATION, ...fields }] });
  const body = (fields) => ({ ...LINKS_BODY, ...fields });
  const bad = [
    ["", "body"],
    ["{", "body"],
    ["nonsense", "body"],
    ["[]", "body"],
    ['"text"', "body"],
    ["null", "body"],
    ['{"a":1} x', "body"],
    [{}, "message_id"],
    [body({ message_id: "" }), "message_id"],
    [body({ message_id: 5 }), "message_id"],
    [body({ message_id: null }), "message_id"],
    [body({ message_id: "a b" }), "message_id"],
    [body({ message_id: "a/b" }), "message_id"],
    [body({ message_id: "a#1" }), "message_id"],
    [body({ message_id: "." }), "message_id"],
    [body({ message_id: ".." }), "message_id"],
    [body({ message_id: "é" }), "message_id"],
    [body({ message_id: "m".repeat(129) }), "message_id"],
    [body({ recipient_id: undefined }), "recipient_id"],
    [body({ recipient_id: "anna@brand.example" }), "recipient_id"],
    [body({ recipient_id: "r".repeat(65) }), "recipient_id"],
    [body({ recipient_id: ["r"] }), "recipient_id"],
    [body({ sent_at_ms: undefined }), "sent_at_ms"],
    [body({ sent_at_ms: "1790000000000" }), "sent_at_ms"],
    [body({ sent_at_ms: 1.5 }), "sent_at_ms"],
    [body({ sent_at_ms: -1 }), "sent_at_ms"],
    [body({ sent_at_ms: 1_790_000_000 }), "looks like seconds"],
    [body({ sent_at_ms: 8_640_000_000_000_001 }), "sent_at_ms"],
    [body({ links: undefined }), "links"],
    [body({ links: {} }), "links"],
    [body({ links: ["l"] }), "links[0]"],
    [body({ links: [...LINKS_BODY.links, {}] }), "links[1].link_id"],
    [link({ link_id: "" }), "links[0].link_id"],
    [link({ link_id: "a@b" }), "links[0].link_id"],
    [link({ link_id: "l".repeat(65) }), "links[0].link_id"],
    [link({ url: undefined }), "links[0].url"],
    [link({ url: 5 }), "links[0].url"],
    [link({ url: "" }), "links[0].url"],
    [link({ url: "shop.example" }), "links[0].url"],
    [link({ url: "//shop.example" }), "links[0].url"],
    [link({ url: "javascript:alert(1)" }), "links[0].url"],
    [link({ url: "ftp://shop.example/" }), "links[0].url"],
    [link({ url: "https://" }), "links[0].url"],
    [link({ url: "https:///path" }), "links[0].url"],
    [link({ url: "https://user@shop.example/" }), "links[0].url"],
    [link({ url: "https://shop.example/a b" }), "percent-encode it"],
    [link({ url: "https://shop.example/é" }), "percent-encode it"],
    [link({ url: "https://shop.example/\r\nSet-Cookie: a=b" }), "percent-encode it"],
    [link({ url: "https://shop.example/\u0000" }), "percent-encode it"],
    [link({ url: `https://shop.example/${"x".repeat(4076)}` }), "4096"],
    [link({ kind: "clack" }), "links[0].kind"],
    [link({ kind: 1 }), "links[0].kind"],
    [link({ kind: "open" }), "links[0].url"],
    [link({ kind: "unsubscribe" }), "links[0].url"],
    [body({ shards: 257 }), "shards"],
    [body({ shards: 0 }), "shards"],
    [body({ shards: -1 }), "shards"],
    [body({ shards: "1" }), "shards"],
    [body({ shards: 1.5 }), "shards"],
    [body({ mesage_id: "m" }), "mesage_id"],
    [link({ urls: [] }), "links[0].urls"],
  ];
  for (const [body, field] of bad) {
    const response = await worker.api("/v1/links", { method: "POST", body });
    const message = await error(response, 400, "bad_request");
    assert.ok(message.includes(field), `${JSON.stringify(body)}: ${message}`);
  }
});

test("a mint answers each link in its order, whatever its kind", async () => {
  const links = [
    { link_id: "A.b_~-1", url: DESTINATION, kind: "click" },
    { link_id: "same", url: DESTINATION },
    { link_id: "same", url: "http://b.example" },
    { link_id: "o", kind: "open" },
    { link_id: "u", kind: "unsubscribe" },
    { link_id: "c", kind: "confirm" },
    { link_id: "d", kind: "confirm", url: DESTINATION },
  ];
  const answer = await worker.mint({ ...LINKS_BODY, shards: 1, links });
  assert.deepEqual(
    answer.links.map(({ link_id }) => link_id),
    links.map(({ link_id }) => link_id),
  );
  const route = (href) => new URL(href).pathname.split("/")[1];
  assert.deepEqual(
    answer.links.map(({ href }) => route(href)),
    ["c", "c", "c", "o", "u", "u", "u"],
  );
  for (const { href } of answer.links) assert.match(new URL(href).pathname, /^\/[cou]\/[A-Za-z0-9_-]+$/);
  assert.deepEqual((await worker.mint({ ...LINKS_BODY, links: [] })).links, []);
  const again = await worker.mint({ ...LINKS_BODY, links });
  assert.deepEqual(
    again.links.map(({ href }) => href),
    answer.links.map(({ href }) => href),
    "the same call gives the same links",
  );
});

test("an href that mail clients may cut is minted with a warning", async () => {
  const href = async (length) => {
    const url = "https://shop.example/".padEnd(length, "x");
    const { links } = await worker.mint({ ...LINKS_BODY, links: [{ link_id: "l", url }] });
    return links[0];
  };
  const short = await href(100);
  assert.equal(short.warning, undefined);
  // Base64 makes four characters of three bytes; the first URL that is too long is found by counting.
  let length = 100 + Math.floor(((2000 - short.href.length) * 3) / 4) - 3;
  while ((await href(length)).href.length <= 2000) {
    assert.equal((await href(length)).warning, undefined);
    length++;
  }
  const { href: long, warning } = await href(length);
  assert.ok(long.length <= 2002 && warning.includes(String(long.length)), warning);
});

test("message ids work with every character that they may have, encoded or not", async () => {
  const message_id = "aZ09._~@+=$!:-";
  const { hrefs } = await mintCopy(worker, { message_id });
  await worker.click(hrefs[0]);
  await clicksWhen(worker, message_id, 1);
  const hex = (upper) => (char) => {
    const code = char.charCodeAt(0).toString(16);
    return `%${upper ? code.toUpperCase() : code}`;
  };
  const all = (upper) => [...message_id].map(hex(upper)).join("");
  for (const spelt of [message_id, encodeURIComponent(message_id), all(true), all(false)]) {
    const response = await worker.api("/", { path: `/v1/messages/${spelt}` });
    const { clicks, message_id: said } = await response.json();
    assert.deepEqual([said, clicks], [message_id, 1], spelt);
    const lines = await worker.api("/", { path: `/v1/messages/${spelt}/clicks` });
    assert.equal(parseLines(await lines.text())[0].message_id, message_id);
  }
  const longest = freshMessage("long").padEnd(128, "=");
  assert.equal((await report(worker, longest)).message_id, longest);
});

test("a message id that none can be is refused by name", async () => {
  for (const id of ["a%20b", "a%2Fb", "%C3%A9", "%FF", "a%23", "m".repeat(129), "a%00", "%", "a*b", "a&b"]) {
    for (const rest of ["", "/clicks", "/clicks/019a0000-0000-7000-8000-000000000000"]) {
      const response = await worker.api("/", { path: `/v1/messages/${id}${rest}` });
      assert.match(await error(response, 400, "bad_request"), /message_id/, id);
    }
  }
});

/** The tables in the storage of each object, by the object's file. */
function tables(persist) {
  const dir = path.join(persist, "do");
  const files = readdirSync(dir, { recursive: true }).filter((name) => /[0-9a-f]{64}\.sqlite/.test(name));
  const found = {};
  for (const file of files) {
    const object = file.replace(/\.sqlite.*/, "");
    const text = readFileSync(path.join(dir, file), "latin1");
    found[object] = (found[object] ?? 0) + (text.match(/CREATE TABLE/g) ?? []).length;
  }
  return Object.values(found);
}

test("an unknown message is zeros, and asking for it creates nothing", async (t) => {
  const persist = stateDir(t);
  const own = await startWorker({ persist });
  t.after(() => own.close());
  const zeros = await report(own, "unknown");
  const { by_type, ...rest } = zeros;
  assert.deepEqual(new Set(Object.values(by_type)), new Set([0]));
  const { diagnosis, ...empty } = rest;
  const { by_type: none_by_type, ...expected } = counted("unknown", []);
  assert.deepEqual(none_by_type, {});
  assert.deepEqual(empty, { ...expected, known: false });
  assert.deepEqual(diagnosis, []);
  assert.deepEqual(await listClicks(own, "unknown"), []);
  const reship = await own.api("/v1/messages/unknown/reship", { method: "POST" });
  assert.deepEqual([reship.status, await reship.json()], [202, { events: 0 }]);
  const none = await own.api("/v1/messages/unknown/deliveries", { method: "POST", body: [] });
  assert.deepEqual([none.status, await none.json()], [202, { recipients: 0, reissued: 0 }]);
  const id = "019a0000-0000-7000-8000-000000000000";
  await error(await own.api(`/v1/messages/unknown/clicks/${id}`), 404, "not_found");
  // The runtime makes a file for whichever object is addressed; what counts is that nothing stands in it.
  assert.ok(
    tables(persist).every((count) => count === 0),
    "no object has tables",
  );

  const { message_id, hrefs } = await mintCopy(own);
  await own.click(hrefs[0]);
  await clicksWhen(own, message_id, 1);
  const made = () => tables(persist).filter((count) => count > 0).length === 2;
  await until(made, { what: "that a click makes one, and the list of messages" });
});

test("clicks are paged: after, limit and their bounds", async () => {
  // No more than a hundred on a link, or they are counted and not stored.
  const urls = Array.from({ length: 12 }, (_, n) => `https://shop.example/${n}`);
  const { message_id, hrefs } = await mintCopy(worker, { urls });
  const all = hrefs.flatMap((href) => Array(100).fill(href));
  while (all.length > 0) await Promise.all(all.splice(0, 25).map((href) => worker.click(href)));
  const ids = (clicks) => clicks.map(({ event_id }) => event_id);
  const whole = await until(async () => {
    const clicks = await listClicks(worker, message_id, "?limit=10000");
    return clicks.length === 1200 && ids(clicks);
  });
  assert.deepEqual(whole, whole.toSorted(), "oldest first");
  assert.equal(new Set(whole).size, 1200);

  const page = async (query) => ids(await listClicks(worker, message_id, query));
  assert.deepEqual(await page(""), whole.slice(0, 1000), "a thousand where none is named");
  assert.deepEqual(await page("?limit=1"), whole.slice(0, 1));
  assert.deepEqual(await page("?limit=1000"), whole.slice(0, 1000));
  assert.deepEqual(await page("?limit=1001"), whole.slice(0, 1001));
  assert.deepEqual(await page(`?after=${whole[0]}&limit=1150`), whole.slice(1, 1151));
  assert.deepEqual(await page(`?limit=3&after=${whole[1196]}`), whole.slice(1197));
  assert.deepEqual(await page(`?after=${whole[1199]}`), []);
  const walked = [];
  for (let next = await page("?limit=500"); next.length > 0;) {
    walked.push(...next);
    next = await page(`?limit=500&after=${next.at(-1)}`);
  }
  assert.deepEqual(walked, whole, "page by page nothing is left out or told twice");

  for (const query of ["limit=0", "limit=10001", "limit=-1", "limit=x", "limit=", "limit=1.5"]) {
    const response = await worker.api(`/v1/messages/${message_id}/clicks?${query}`);
    assert.match(await error(response, 400, "bad_request"), /^limit/, query);
  }
  for (const query of ["after=x", `after=${whole[0].toUpperCase()}`, `after=${whole[0]}0`]) {
    const response = await worker.api(`/v1/messages/${message_id}/clicks?${query}`);
    assert.match(await error(response, 400, "bad_request"), /^after/, query);
  }
});

test("delivery times are refused by the entry and field that is bad, and none is taken", async () => {
  const { message_id, hrefs } = await mintCopy(worker);
  await worker.click(hrefs[0]);
  await settledClicks(worker, message_id, 1);
  const good = { recipient_id: "r1", delivered_at_ms: Date.now() };
  const bad = [
    ["", "body"],
    ["{", "body"],
    [{}, "body"],
    ["null", "body"],
    [[good, 5], "[1]"],
    [[good, {}], "[1].recipient_id"],
    [[good, { ...good, recipient_id: "a@b" }], "recipient_id"],
    [[good, { ...good, recipient_id: "" }], "recipient_id"],
    [[good, { ...good, recipient_id: 5 }], "[1].recipient_id"],
    [[good, { recipient_id: "r" }], "[1].delivered_at_ms"],
    [[good, { ...good, delivered_at_ms: null }], "[1].delivered_at_ms"],
    [[good, { ...good, bounced_at_ms: "5" }], "[1].bounced_at_ms"],
    [[good, { ...good, bounced_at_ms: Math.floor(Date.now() / 1_000) }], "looks like seconds"],
    [[good, { ...good, delivered_at_ms: "5" }], "[1].delivered_at_ms"],
    [[good, { ...good, delivered_at_ms: 1.5 }], "[1].delivered_at_ms"],
    [[good, { ...good, delivered_at_ms: -1 }], "[1].delivered_at_ms"],
    [[good, { ...good, delivered_at_ms: 1e17 }], "[1].delivered_at_ms"],
  ];
  for (const [body, field] of bad) {
    const response = await worker.api(`/v1/messages/${message_id}/deliveries`, { method: "POST", body });
    const message = await error(response, 400, "bad_request");
    assert.ok(message.includes(field), `${JSON.stringify(body)}: ${message}`);
  }
  const [click] = await listClicks(worker, message_id);
  assert.equal(click.delivered_at_ms, null);
});

/** Where the steps of the time since the clock end, seconds. */
const ENDS_S = [
  1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 86_400, 172_800,
  259_200, 604_800, 1_209_600, 2_592_000,
];

/** The report that follows from a message's clicks. */
function counted(message_id, clicks) {
  const by_type = (some) => {
    const counts = {};
    for (const { click_type } of some) counts[click_type] = (counts[click_type] ?? 0) + 1;
    return counts;
  };
  const human = clicks.filter(({ click_type }) => click_type === "human");
  const who = (some) => new Set(some.map(({ recipient_id }) => recipient_id)).size;
  const groups = (key) => groupBy(clicks, key);
  const links = [...groups(({ link_id }) => link_id)].map(([link_id, some]) => ({
    link_id,
    url: some[0].url,
    clicks: some.length,
    human_clicks: some.filter(({ click_type }) => click_type === "human").length,
    human_recipients: who(some.filter(({ click_type }) => click_type === "human")),
  }));
  const seconds = ({ ts_ms, sent_at_ms, delivered_at_ms }) =>
    Math.max(0, ts_ms - (delivered_at_ms ?? sent_at_ms)) / 1_000;
  const delay = [...ENDS_S, null].map((until_s, at) => {
    const from_s = ENDS_S[at - 1] ?? 0;
    const isIn = (click) => seconds(click) >= from_s && (until_s === null || seconds(click) < until_s);
    return { from_s, until_s, by_type: by_type(clicks.filter(isIn)) };
  });
  const count = (test) => clicks.filter(test).length;
  const vendors = [...groups(({ vendor }) => vendor)].filter(([vendor]) => vendor);
  const times = clicks.map(({ ts_ms }) => ts_ms);
  const minutes = [...groups(({ ts_ms }) => ts_ms - (ts_ms % 60_000))];
  return {
    message_id,
    title: null,
    sent: null,
    known: true,
    first_ms: times.length > 0 ? Math.min(...times) : null,
    known_from_ms: null,
    unreadable: 0,
    last_ms: times.length > 0 ? Math.max(...times) : null,
    machine_only_recipients: who(clicks) - who(human),
    safe_links_recipients: who(clicks.filter(({ click_type }) => click_type === "scanner_timeofclick")),
    rates: {
      clicks_per_sent: null,
      human_recipients_per_sent: null,
      machine_share: clicks.length > 0 ? Math.round((1 - human.length / clicks.length) * 1e6) / 1e6 : null,
    },
    by_vendor: Object.fromEntries(vendors.map(([vendor, some]) => [vendor, some.length])),
    by_confidence: {
      certain: count(({ confidence }) => confidence === "certain"),
      probable: count(({ confidence }) => confidence === "probable"),
    },
    by_group: {},
    delay,
    opens: { total: 0, by_type: {} },
    acts: { unsubscribe: 0, confirm: 0, machines: 0 },
    verified: {
      rendered: count(({ verified }) => verified === "rendered"),
      interacted: count(({ verified }) => verified === "interacted"),
    },
    clicks: clicks.length,
    by_type: by_type(clicks),
    human_clicks: human.length,
    human_recipients: who(human),
    recipients: who(clicks),
    is_defender_bot: clicks.filter(({ is_defender_bot }) => is_defender_bot).length,
    unsettled: clicks.filter(({ final }) => !final).length,
    repeats: clicks.reduce((sum, { repeats }) => sum + (repeats ?? 0), 0),
    links: links.toSorted((a, b) => b.clicks - a.clicks || (a.link_id < b.link_id ? -1 : 1)),
    timeline: minutes.map(([ts_ms, some]) => ({ ts_ms, by_type: by_type(some) })),
  };
}

function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

async function assertReportFollowsFromClicks(message_id) {
  const { diagnosis, ...found } = await report(worker, message_id);
  const expected = counted(message_id, await listClicks(worker, message_id, "?limit=10000"));
  found.by_type = Object.fromEntries(Object.entries(found.by_type).filter(([, count]) => count > 0));
  assert.deepEqual(found, expected);
  return diagnosis;
}

const code = (diagnosis) => diagnosis.map(({ code }) => code);

describe("the report", { concurrency: true }, () => {
  test("a message without scanners has no diagnosis, and its report adds up", async () => {
    const sent_at_ms = Date.now() - 7_200_000;
    const { message_id, hrefs } = await mintCopy(worker, { urls: SIX_URLS, sent_at_ms });
    for (const href of [hrefs[0], hrefs[0], hrefs[1]]) await worker.click(href, { headers: chrome() });
    await settledClicks(worker, message_id, 3);
    assert.deepEqual(await assertReportFollowsFromClicks(message_id), []);
  });

  test("the report counts provisional verdicts too", async (t) => {
    const slow = await startWorker({ vars: { SETTLE_MS: 60_000 } });
    t.after(() => slow.close());
    const { message_id, hrefs } = await mintCopy(slow, { urls: SIX_URLS });
    for (const href of hrefs) await slow.click(href, MICROSOFT);
    await clicksWhen(slow, message_id, 6);
    const { clicks, unsettled, by_type } = await report(slow, message_id);
    assert.deepEqual([clicks, unsettled], [6, 6]);
    assert.ok(by_type.scanner_safe_attachments >= 1, "the last of them know enough");
  });

  test("many Safe Attachments hits: clean the HTML", async () => {
    const { message_id, hrefs } = await mintCopy(worker, { urls: SIX_URLS });
    for (const href of hrefs) await worker.click(href, MICROSOFT);
    await settledClicks(worker, message_id, 6);
    const diagnosis = await assertReportFollowsFromClicks(message_id);
    assert.deepEqual(code(diagnosis), ["safe_attachments"]);
    assert.equal(diagnosis[0].severity, "warning");
    assert.match(diagnosis[0].text, /HTML/);
    assert.match(diagnosis[0].text, /6 of 6/);
  });

  test("time-of-click pairs: the share of the list on Microsoft 365", async () => {
    const sent_at_ms = Date.now() - 10_000;
    const { message_id } = await clickAsPair(worker, [{ headers: { Referer: SAFE_LINKS } }, {}]);
    for (const recipient_id of ["r2", "r3", "r4"]) {
      const other = await mintCopy(worker, { message_id, recipient_id, sent_at_ms });
      await worker.click(other.hrefs[0]);
    }
    await settledClicks(worker, message_id, 5);
    const diagnosis = await assertReportFollowsFromClicks(message_id);
    assert.equal(code(diagnosis)[0], "timeofclick");
    assert.match(diagnosis[0].text, /25 %/);
    assert.match(diagnosis[0].text, /Microsoft 365/);
  });

  test("a campaign burst: watch for blocks", async () => {
    const message_id = freshMessage();
    for (let n = 0; n < CAMPAIGN_RECIPIENTS; n++) {
      const { hrefs } = await mintCopy(worker, { message_id, recipient_id: `r${n}` });
      await worker.click(hrefs[0], MICROSOFT);
    }
    await settledClicks(worker, message_id, CAMPAIGN_RECIPIENTS);
    const diagnosis = await assertReportFollowsFromClicks(message_id);
    assert.deepEqual(code(diagnosis), ["campaign_view"]);
    assert.match(diagnosis[0].text, /blocks/);
  });

  test("late crawls: pause and run a placement test", async () => {
    const { message_id, hrefs } = await mintCopy(worker, { sent_at_ms: Date.now() - 2 * 3_600_000 });
    await worker.click(hrefs[0], MICROSOFT);
    await settledClicks(worker, message_id, 1);
    const diagnosis = await assertReportFollowsFromClicks(message_id);
    assert.deepEqual(code(diagnosis), ["air_or_mbi"]);
    assert.equal(diagnosis[0].severity, "critical");
    assert.match(diagnosis[0].text, /[Pp]ause.*placement test/);
  });
});
