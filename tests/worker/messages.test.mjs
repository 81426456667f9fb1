// What a sender tells of a message, which messages there are, and what a report says of them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  clicksWhen,
  freshMessage,
  listClicks,
  mintCopy,
  parseLines,
  report,
  settledClicks,
} from "./clicks.mjs";
import { startWorker, until } from "./harness.mjs";

let worker;
before(async () => (worker = await startWorker({ vars: { SETTLE_MS: 0 } })));
after(() => worker.close());

const path = (message_id, rest = "") => `/v1/messages/${encodeURIComponent(message_id)}${rest}`;

const put = (message_id, body) => worker.api(path(message_id), { method: "PUT", body: JSON.stringify(body) });

async function list(query = "") {
  const response = await worker.api(`/v1/messages${query}`);
  assert.equal(response.status, 200);
  return response.json();
}

const HOUR_MS = 3_600_000;

/** A record of a click some milliseconds after its mail. */
let made = 0;
function record(message_id, recipient_id, after_ms, fields = {}) {
  const sent_at_ms = Date.now() - 24 * HOUR_MS;
  const ts_ms = sent_at_ms + after_ms;
  const random = (++made).toString(16).padStart(12, "0");
  const event_id = `${ts_ms
    .toString(16)
    .padStart(12, "0")
    .replace(/^(.{8})/, "$1-")}-7000-8000-${random}`;
  return {
    event_id,
    message_id,
    recipient_id,
    link_id: "1",
    url: "https://shop.example/",
    ts_ms,
    sent_at_ms,
    ...fields,
  };
}

async function bring(records) {
  const body = records.map((line) => JSON.stringify(line)).join("\n");
  const response = await worker.api("/v1/records", { method: "POST", body });
  assert.equal(response.status, 202);
  assert.equal((await response.json()).stored, records.length);
}

test("what a sender tells of a message stands in its report, and shares are of it", async () => {
  const message_id = freshMessage();
  const told = { title: "Tea & <Cake>", sent: 40, groups: { m365: 30, gmail: 10, "t-online.de": 0 } };
  assert.equal((await put(message_id, told)).status, 204);
  const early = await report(worker, message_id);
  assert.deepEqual(
    [early.known, early.title, early.sent, early.clicks, early.first_ms],
    [true, "Tea & <Cake>", 40, 0, null],
  );
  assert.deepEqual(early.rates, {
    clicks_per_sent: 0,
    human_recipients_per_sent: 0,
    machine_share: null,
  });

  const late = { ip: "40.92.1.1", group: "m365" };
  await bring([
    record(message_id, "r1", HOUR_MS + 1, late),
    record(message_id, "r2", 7 * HOUR_MS, late),
    record(message_id, "r3", 90_000, { group: "m365", ip: "192.0.2.1" }),
    record(message_id, "r3", 95_000, { group: "m365", ip: "192.0.2.1", link_id: "2" }),
    record(message_id, "r4", 4_000, { group: "gmail", ip: "192.0.2.9" }),
    record(message_id, "r5", 0, { ip: "192.0.2.7" }),
  ]);
  await settledClicks(worker, message_id, 6);
  const full = await report(worker, message_id);
  assert.equal(full.clicks, 6);
  assert.equal(full.unsettled, 0);
  assert.equal(full.by_type.scanner_air_or_mbi, 2);
  assert.deepEqual([full.recipients, full.human_recipients, full.machine_only_recipients], [5, 3, 2]);
  assert.deepEqual(full.rates, {
    clicks_per_sent: 0.15,
    human_recipients_per_sent: 0.075,
    machine_share: 0.333333,
  });
  assert.deepEqual(full.by_vendor, { microsoft: 2 });
  assert.equal(full.by_confidence.certain + full.by_confidence.probable, 6);
  assert.deepEqual(full.by_group, {
    gmail: { sent: 10, clicks: 1, human_clicks: 1, human_recipients: 1, by_type: { human: 1 } },
    m365: {
      sent: 30,
      clicks: 4,
      human_clicks: 2,
      human_recipients: 1,
      by_type: { human: 2, scanner_air_or_mbi: 2 },
    },
    "t-online.de": { sent: 0, clicks: 0, human_clicks: 0, human_recipients: 0, by_type: {} },
  });
  assert.deepEqual(
    full.links.map(({ link_id, clicks, human_clicks, human_recipients }) => [
      link_id,
      clicks,
      human_clicks,
      human_recipients,
    ]),
    [
      ["1", 5, 3, 3],
      ["2", 1, 1, 1],
    ],
  );
  assert.equal(full.delay.length, 24);
  const steps = full.delay.filter(({ by_type }) => Object.keys(by_type).length > 0);
  assert.deepEqual(
    steps.map(({ from_s, until_s, by_type }) => [from_s, until_s, by_type]),
    [
      [0, 1, { human: 1 }],
      [2, 5, { human: 1 }],
      [60, 120, { human: 2 }],
      [3_600, 7_200, { scanner_air_or_mbi: 1 }],
      [14_400, 28_800, { scanner_air_or_mbi: 1 }],
    ],
  );
  const counted = full.timeline.flatMap(({ by_type }) => Object.values(by_type));
  assert.equal(
    counted.reduce((sum, count) => sum + count, 0),
    6,
  );

  // What is told later replaces it.
  assert.equal((await put(message_id, { sent: 60 })).status, 204);
  const later = await report(worker, message_id);
  assert.deepEqual([later.title, later.sent, later.rates.clicks_per_sent], [null, 60, 0.1]);
  assert.equal(later.by_group.m365.sent, null);
});

test("opens, acts and what landing pages showed are counted beside the clicks", async () => {
  const message_id = freshMessage();
  await bring([
    record(message_id, "r1", 5_000, {
      kind: "open",
      user_agent: "Mozilla/5.0 (via ggpht.com GoogleImageProxy)",
    }),
    record(message_id, "r1", 9_000, { kind: "open", ip: "192.0.2.1" }),
    record(message_id, "r1", 60_000, { kind: "unsubscribe", act: "one_click" }),
    record(message_id, "r1", 70_000, { kind: "confirm", act: "form" }),
    record(message_id, "r1", 80_000),
  ]);
  await settledClicks(worker, message_id, 5);
  const { clicks, opens, acts, verified, recipients } = await report(worker, message_id);
  assert.deepEqual([clicks, recipients], [1, 1]);
  assert.equal(opens.total, 2);
  assert.equal(opens.by_type.proxy_open, 1);
  assert.deepEqual([acts.unsubscribe, acts.confirm], [1, 1]);
  assert.deepEqual(verified, { rendered: 0, interacted: 0 });
});

test("the messages are listed, the newest first, page by page", async () => {
  const [first, second, told] = [freshMessage("list=1"), freshMessage("list:2"), freshMessage("list.3")];
  await mintCopyAndClick(first);
  await mintCopyAndClick(second);
  await put(told, { title: "Told of" });
  const { messages } = await list();
  const ids = messages.map(({ message_id }) => message_id);
  assert.deepEqual(ids.slice(0, 3), [told, second, first]);
  assert.equal(messages[0].title, "Told of");
  assert.deepEqual([messages[0].clicks, messages[0].first_ms], [0, null]);
  assert.equal(messages[1].clicks, 1);
  assert.ok(messages[1].human_clicks <= 1 && messages[1].first_ms === messages[1].last_ms);

  const seen = [];
  let next = "";
  do {
    const page = await list(`?limit=2&after=${encodeURIComponent(next)}`);
    seen.push(...page.messages.map(({ message_id }) => message_id));
    next = page.next;
  } while (next);
  assert.deepEqual(seen, ids);
  assert.equal(new Set(seen).size, seen.length);
});

async function mintCopyAndClick(message_id) {
  const { hrefs } = await mintCopy(worker, { message_id });
  assert.equal((await worker.click(hrefs[0])).status, 302);
  await clicksWhen(worker, message_id, 1);
}

test("clicks are filtered by what is asked for, across pages", async () => {
  const message_id = freshMessage();
  const records = [];
  for (let n = 0; n < 1_300; n += 1) {
    records.push(
      record(message_id, `r${n % 7}`, 60_000 + n * 700, { link_id: `l${n % 3}`, ip: "192.0.2.1" }),
    );
  }
  records.push(record(message_id, "r1", 5_000, { kind: "open" }));
  await bring(records);
  const settles = async () => (await report(worker, message_id)).unsettled === 0;
  await until(settles, { every: 100, what: "that all settles" });
  const all = await listClicks(worker, message_id, "?limit=10000");
  assert.equal(all.length, 1_301);
  const filtered = async (query) => {
    const response = await worker.api(path(message_id, `/clicks?${query}`));
    assert.equal(response.status, 200);
    return parseLines(await response.text());
  };
  for (const [query, test] of [
    ["kind=open", ({ kind }) => kind === "open"],
    ["kind=click&link_id=l2", ({ kind, link_id }) => kind === "click" && link_id === "l2"],
    ["recipient_id=r3&link_id=l1", (click) => click.recipient_id === "r3" && click.link_id === "l1"],
    ["click_type=human", ({ click_type }) => click_type === "human"],
    ["click_type=scanner_air_or_mbi", () => false],
    ["recipient_id=nobody", () => false],
  ]) {
    assert.deepEqual(await filtered(`${query}&limit=10000`), all.filter(test), query);
  }
  const some = await filtered("recipient_id=r2&limit=5");
  const theirs = all.filter(({ recipient_id }) => recipient_id === "r2");
  assert.deepEqual(some, theirs.slice(0, 5));
  assert.deepEqual(
    await filtered(`recipient_id=r2&limit=5&after=${some.at(-1).event_id}`),
    theirs.slice(5, 10),
    "it goes on behind the last one",
  );
});

test("what is bad is named, and changes nothing", async () => {
  const message_id = freshMessage();
  for (const [body, words] of [
    ["", /empty/],
    ["[", /not JSON/],
    ['{"name":"x"}', /^name: no such field/],
    ['{"sent":-1}', /^sent: /],
    ['{"groups":{"a b":1}}', /^groups: group is 1 to 64 characters/],
  ]) {
    const response = await worker.api(path(message_id), { method: "PUT", body });
    assert.equal(response.status, 400, body);
    assert.match((await response.json()).error.message, words);
  }
  assert.equal((await report(worker, message_id)).known, false);
  for (const [call, word] of [
    [path(message_id, "?x=1"), "x"],
    [path(message_id, "/clicks?type=human"), "type"],
    [path(message_id, "/clicks?kind=pixel"), "kind"],
    [path(message_id, "/clicks?click_type=robot"), "click_type"],
    ["/v1/messages?limit=0", "limit"],
    ["/v1/messages?before=1", "before"],
  ]) {
    const response = await worker.api(call);
    assert.equal(response.status, 400, call);
    assert.ok((await response.json()).error.message.startsWith(`${word}: `), call);
  }
});
