// A message that several objects share: whoever asks for it is answered as if there were one.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Response } from "miniflare";
import {
  MICROSOFT,
  SAFE_LINKS,
  askWhy,
  chrome,
  clickAndRecord,
  deliver,
  findingOf,
  freshMessage,
  listClicks,
  objectOf,
  parseLines,
  recordAt,
  recordIn,
  recordOf,
  report,
  settledClicks,
  shippedEvents,
} from "./clicks.mjs";
import { behind, startWorker, until } from "./harness.mjs";

const SHARDS = 4;
const RECIPIENTS = 40;
const URLS = ["https://shop.example/tea", "https://shop.example/cake"];
const HOUR_MS = 3_600_000;

// The built worker, whose objects tell the test of every call, and do not answer those that it does not want answered.
const WATCHED = `
  import built, { MessageObject as BuiltObject } from "./index.js";
  export class MessageObject extends BuiltObject {
    constructor(state, env) { super(state, env); this.test = env.TEST; this.name = state.id.name }
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const call = JSON.stringify([this.name, pathname, search]);
      if (!(await this.test.fetch("http://test/", { method: "POST", body: call })).ok) throw new Error("no storage");
      return super.fetch(request);
    }
  }
  export default built;
`;

const calls = [];
let fails = () => false;
let worker;
before(async () => {
  worker = await startWorker({
    // What crosses recipients is not these tests' subject: no crowd is large enough here.
    vars: { SETTLE_MS: 0, CAMPAIGN_RECIPIENTS: 1_000_000 },
    worker: {
      ...behind(WATCHED),
      serviceBindings: {
        async TEST(request) {
          const [object, path, query] = await request.json();
          calls.push({ object, path, query });
          return new Response(null, { status: fails({ object, path }) ? 500 : 200 });
        },
      },
    },
  });
});
after(() => worker.close());

const objectsOf = (message_id, shards = SHARDS) =>
  Array.from({ length: shards }, (_, shard) => (shard === 0 ? message_id : `${message_id}#${shard}`));

/** The calls that the message's objects get while something is done. */
async function callsDuring(message_id, act) {
  const seen = calls.length;
  await act();
  return calls.slice(seen).filter(({ object }) => object.split("#")[0] === message_id);
}

const recipients = Array.from({ length: RECIPIENTS }, (_, n) => `r${n}`);

async function mint(message_id, recipient_id, { shards = SHARDS, links } = {}) {
  links ??= URLS.map((url, at) => ({ link_id: `l${at + 1}`, url }));
  const body = { message_id, recipient_id, sent_at_ms: Date.now() - HOUR_MS, group: "de", shards, links };
  const minted = await worker.mint(body);
  return minted.links.map(({ href }) => href);
}

/** People, and who is on Microsoft 365. */
const visitor = (n) =>
  n % 3 === 0
    ? { ...MICROSOFT, ip: `40.92.${n}.1`, headers: { Referer: SAFE_LINKS } }
    : { ip: `81.2.${n}.1`, country: "IE", headers: chrome() };

async function bring(records) {
  const body = records.map((record) => `${JSON.stringify(record)}\n`).join("");
  const response = await worker.api("/v1/records", { method: "POST", body });
  assert.equal(response.status, 202);
  return response.json();
}

/** A message of four objects, and one of one object that the same clicks were brought to. */
async function pair() {
  const [several, one] = [freshMessage("several"), freshMessage("one")];
  const records = [];
  for (const [n, recipient_id] of recipients.entries()) {
    const hrefs = await mint(several, recipient_id);
    const clicked = n % 2 === 0 ? hrefs : hrefs.slice(0, 1);
    for (const href of clicked)
      records.push(recordIn((await clickAndRecord(worker, href, visitor(n))).record));
  }
  await settledClicks(worker, several, records.length);
  const copies = records.map((record) => ({ ...record, message_id: one }));
  assert.deepEqual(await bring(copies), { stored: records.length, known: 0, bad: [] });
  await settledClicks(worker, one, records.length);
  return { several, one, records };
}

const plain = (click) => ({ ...recordOf(click), ...findingOf(click), message_id: "m" });

/** What the API says of a message in every way there is, without its id. */
async function everything(message_id, records) {
  const path = `/v1/messages/${message_id}`;
  const { message_id: its, ...counted } = await report(worker, message_id);
  assert.equal(its, message_id);
  const csv = await worker.request(`/report/${message_id}.csv`, {
    headers: { Authorization: `Basic ${Buffer.from("x:test-api-token-0001").toString("base64")}` },
  });
  assert.equal(csv.status, 200);
  const lists = [];
  for (const query of [
    "",
    "?limit=7",
    "?click_type=human",
    "?link_id=l2",
    "?recipient_id=r4",
    "?kind=open",
  ]) {
    lists.push((await listClicks(worker, message_id, query)).map(plain));
  }
  const pages = [];
  for (let after = ""; ;) {
    const page = await listClicks(worker, message_id, `?limit=9&after=${after}`);
    if (page.length === 0) break;
    assert.ok(page.length <= 9);
    pages.push(...page.map(plain));
    after = page.at(-1).event_id;
  }
  assert.deepEqual(pages, lists[0], "page by page");
  const explained = [];
  for (const { event_id } of records.slice(0, 12)) {
    const response = await askWhy(worker, message_id, event_id);
    assert.equal(response.status, 200);
    const { explanation, ...click } = await response.json();
    explained.push({ ...plain(click), explanation });
  }
  assert.equal((await askWhy(worker, message_id, "019a0000-0000-7000-8000-000000000000")).status, 404);
  const listed = (await (await worker.api("/v1/messages?limit=200")).json()).messages;
  const [summary, ...more] = listed.filter((message) => message.message_id === message_id);
  assert.equal(more.length, 0, "listed once");
  const shipped = await worker.api(`${path}/reship`, { method: "POST" });
  assert.equal(shipped.status, 202);
  return {
    counted,
    csv: (await csv.text()).replaceAll(message_id, "m"),
    lists,
    explained,
    summary: { ...summary, message_id: "m" },
  };
}

test("several objects say of a message what one says of the same clicks", async () => {
  const { several, one, records } = await pair();
  const used = new Set(calls.filter(({ path }) => path === "/arrivals").map(({ object }) => object));
  for (const object of objectsOf(several)) assert.ok(used.has(object), object);
  assert.ok(
    calls.some(({ object, path, query }) => object === several && path === "/shards" && query === "?4"),
  );

  const same = async (words) => {
    const [ours, theirs] = [await everything(several, records), await everything(one, records)];
    assert.deepEqual(ours, theirs, words);
    return ours;
  };
  const first = await same("as they came");
  assert.equal(first.counted.clicks, records.length);
  assert.equal(first.counted.recipients, RECIPIENTS);
  assert.ok(first.counted.human_recipients > 10 && first.counted.human_recipients < RECIPIENTS);

  // More clicks of the same people, by whoever brings them: each to its recipient's object.
  const more = recipients.map((recipient_id, n) =>
    recordAt(records[0], Date.now() - 1_000 * n, {
      recipient_id,
      link_id: "l3",
      url: "https://shop.example/3",
      ip: `81.3.${n}.1`,
    }),
  );
  for (const message_id of [several, one]) {
    const theirs = more.map((record) => ({ ...record, message_id }));
    const taken = await bring([...theirs, { ...theirs[0], ts_ms: 1 }]);
    assert.deepEqual([taken.stored, taken.known, taken.bad.length], [RECIPIENTS, 0, 1]);
    assert.deepEqual(await bring(theirs), { stored: 0, known: RECIPIENTS, bad: [] });
    await settledClicks(worker, message_id, records.length + RECIPIENTS);
  }
  const brought = await same("with what was brought");
  assert.equal(brought.counted.links.find(({ link_id }) => link_id === "l3").clicks, RECIPIENTS);

  const told = { title: "Tea & Cake", sent: 90, groups: { de: 80 } };
  for (const message_id of [several, one]) {
    const response = await worker.api(`/v1/messages/${message_id}`, { method: "PUT", body: told });
    assert.equal(response.status, 204);
  }
  const titled = await same("with what the sender told");
  assert.deepEqual(
    [titled.counted.title, titled.counted.sent, titled.summary.title],
    ["Tea & Cake", 90, "Tea & Cake"],
  );
  assert.equal(titled.counted.by_group.de.sent, 80);

  // Every recipient's clock moves, and with it what some clicks are found to be.
  const times = recipients.map((recipient_id) => ({ recipient_id, delivered_at_ms: Date.now() - 5_000 }));
  const answers = [];
  for (const message_id of [several, one])
    answers.push(await deliver(worker, message_id, [...times, times[0]]));
  assert.equal(answers[0].recipients, RECIPIENTS);
  assert.deepEqual(answers[0], answers[1]);
  for (const message_id of [several, one]) {
    await until(async () =>
      (await listClicks(worker, message_id)).every(({ delivered_at_ms }) => delivered_at_ms),
    );
  }
  await same("after the deliveries");
});

test("everything of several objects is shipped, each under keys of its own, and again by one call", async () => {
  const { several, records } = await pair();
  const events = await shippedEvents(worker, several, records.length);
  const ids = new Set(events.map(({ event }) => event.event_id));
  assert.equal(ids.size, records.length);
  const keys = new Set(events.map(({ key }) => key));
  assert.ok(keys.size >= SHARDS);
  const names = new Set([...keys].map((key) => key.split("/").at(-1).split("-")[0]));
  assert.equal(names.size, SHARDS, "one beginning for each object");

  await worker.r2Delete(keys);
  const response = await worker.api(`/v1/messages/${several}/reship`, { method: "POST" });
  assert.equal(response.status, 202);
  const { events: count } = await response.json();
  assert.ok(count >= records.length, `${count}`);
  const again = await shippedEvents(worker, several, records.length);
  assert.deepEqual(new Set(again.map(({ event }) => event.event_id)), ids);
});

test("an act and a page view reach the recipient's object by the link and the reference", async () => {
  const message_id = freshMessage("acts");
  const recipient_id = recipients.find((id) => objectOf(message_id, id, SHARDS).endsWith("#3"));
  const links = [
    { link_id: "l1", url: URLS[0] },
    { link_id: "stop", kind: "unsubscribe" },
  ];
  const [click, stop] = await mint(message_id, recipient_id, { links });
  const seen = calls.length;
  const { response } = await clickAndRecord(worker, click, visitor(1));
  const cookie = response.headers.get("set-cookie").split(";")[0];
  await settledClicks(worker, message_id, 1);
  const body = "List-Unsubscribe=One-Click";
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  const path = new URL(stop).pathname;
  assert.equal((await worker.request(path, { method: "POST", headers, body })).status, 200);
  const page = { Cookie: cookie, Referer: URLS[0], "Sec-Fetch-Site": "same-site" };
  assert.equal(
    (await worker.request("/verify", { method: "POST", headers: page, body: "5000" })).status,
    204,
  );
  await until(async () => (await report(worker, message_id)).verified.interacted === 1, {
    what: "the sighting",
  });
  const { acts, clicks } = await report(worker, message_id);
  assert.deepEqual([acts.unsubscribe, clicks], [1, 1]);
  for (const path of ["/arrivals", "/act", "/verify"]) {
    const [call, ...more] = calls
      .slice(seen)
      .filter((call) => call.path === path && call.object.startsWith(message_id));
    assert.deepEqual([call.object, call.query, more.length], [`${message_id}#3`, `?${SHARDS}`, 0], path);
  }
});

test("where one object does not answer nothing half is said, and a listing of others' clicks goes on", async (t) => {
  t.after(() => (fails = () => false));
  const { several } = await pair();
  const path = `/v1/messages/${several}`;
  const asked = [
    ["GET", path],
    ["GET", `${path}/clicks`],
    ["GET", `${path}/clicks/019a0000-0000-7000-8000-000000000000`],
    ["POST", `${path}/reship`],
    [
      "POST",
      `${path}/deliveries`,
      recipients.map((recipient_id) => ({ recipient_id, delivered_at_ms: Date.now() })),
    ],
  ];
  const broken = `${several}#2`;
  const spared = recipients.find((id) => objectOf(several, id, SHARDS) === `${several}#1`);
  fails = ({ object }) => object === broken;
  for (const [method, url, body] of asked) {
    const response = await worker.api(url, { method, body });
    assert.equal(response.status, 503, url);
    assert.equal((await response.json()).error.code, "unavailable", url);
  }
  assert.ok((await listClicks(worker, several, `?recipient_id=${spared}`)).length > 0);
  const list = await (await worker.api("/v1/messages?limit=200")).json();
  assert.deepEqual(
    list.messages.find(({ message_id }) => message_id === several),
    { message_id: several },
  );
  fails = () => false;
  for (const [method, url, body] of asked) {
    const { status } = await worker.api(url, { method, body });
    assert.ok([200, 202, 404].includes(status), `${url}: ${status}`);
  }
});

test("the first object hears of the others though it fails at first", async (t) => {
  t.after(() => (fails = () => false));
  const message_id = freshMessage("late");
  const away = recipients.filter((id) => objectOf(message_id, id, SHARDS) !== message_id).slice(0, 3);
  fails = ({ object, path }) => object === message_id && path === "/shards";
  await clickAndRecord(worker, (await mint(message_id, away[0]))[0], visitor(1));
  await worker.waitForLog(
    ({ event, subject }) => event === "shards.untold" && subject.startsWith(message_id),
  );
  assert.equal((await report(worker, message_id)).known, false, "nobody knows of it yet");
  fails = () => false;
  await until(async () => {
    await clickAndRecord(worker, (await mint(message_id, away[0]))[0], visitor(1));
    return (await report(worker, message_id)).known;
  });
});

test("what was told of deliveries before the first click is known to every object", async () => {
  const [several, one] = [freshMessage("early"), freshMessage("early-one")];
  // Microsoft's network, long after the send and soon after the delivery.
  const times = recipients.map((recipient_id, n) =>
    n % 4 === 3
      ? { recipient_id, bounced_at_ms: Date.now() - 9_000 }
      : { recipient_id, delivered_at_ms: Date.now() - 5_000 },
  );
  for (const message_id of [several, one]) {
    assert.deepEqual(await deliver(worker, message_id, times), { recipients: RECIPIENTS, reissued: 0 });
  }
  const records = [];
  for (const [n, recipient_id] of recipients.entries()) {
    const [href] = await mint(several, recipient_id);
    records.push(recordIn((await clickAndRecord(worker, href, visitor(n))).record));
  }
  await settledClicks(worker, several, RECIPIENTS);
  await bring(records.map((record) => ({ ...record, message_id: one })));
  await settledClicks(worker, one, RECIPIENTS);
  const listed = async (message_id) => (await listClicks(worker, message_id)).map(plain);
  const ours = await until(async () => {
    const clicks = await listed(several);
    return clicks.every(({ delivered_at_ms, bounced_at_ms }) => delivered_at_ms || bounced_at_ms) && clicks;
  });
  assert.deepEqual(ours, await listed(one));
  // What is told from now on goes to where it belongs, and what came first does not come back.
  const later = recipients.map((recipient_id) => ({ recipient_id, delivered_at_ms: Date.now() - 1_000 }));
  for (const message_id of [several, one]) await deliver(worker, message_id, later);
  assert.deepEqual(
    (await listed(several)).map(({ delivered_at_ms }) => delivered_at_ms),
    later.map(({ delivered_at_ms }) => delivered_at_ms),
  );
});

test("a message of one object is asked as often as ever", async () => {
  const message_id = freshMessage("single");
  const [href] = await mint(message_id, "r1", { shards: 1 });
  await clickAndRecord(worker, href, visitor(1));
  const [{ event_id }] = await settledClicks(worker, message_id, 1);
  const path = `/v1/messages/${message_id}`;
  const times = [{ recipient_id: "r1", delivered_at_ms: Date.now() }];
  for (const [method, url, call, body] of [
    ["GET", path, "/view"],
    ["GET", `${path}/clicks`, "/page"],
    ["GET", `${path}/clicks?kind=click`, "/filter"],
    ["GET", `${path}/clicks/${event_id}`, "/explain"],
    ["POST", `${path}/reship`, "/reship"],
    ["POST", `${path}/deliveries`, "/deliver", times],
    ["PUT", path, "/tell", { title: "Tea" }],
  ]) {
    const made = await callsDuring(message_id, async () => {
      assert.ok((await worker.api(url, { method, body })).ok, url);
    });
    assert.deepEqual(made, [{ object: message_id, path: call, query: "" }], url);
  }
  assert.ok(!calls.some(({ object, path }) => object.startsWith(message_id) && path === "/shards"));
  assert.equal(parseLines(await (await worker.api(`${path}/clicks`)).text()).length, 1);
});
