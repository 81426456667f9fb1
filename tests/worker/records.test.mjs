// Records that a sender brings along: what an import wrote, or what the log holds of clicks that no object took.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  MICROSOFT,
  SIX_URLS,
  clickAndRecord,
  clicksWhen,
  freshMessage,
  listClicks,
  mintCopy,
  recordAt,
  recordIn,
  recordOf,
  report,
  settledClicks,
  shippedEvents,
} from "./clicks.mjs";
import { startWorker } from "./harness.mjs";

let worker;
before(async () => (worker = await startWorker({ vars: { SETTLE_MS: 0 } })));
after(() => worker.close());

const DAY_MS = 86_400_000;
const LONG_AGO = Date.UTC(2026, 8, 1, 9);

/** A record as an export of a mail provider has it: no headers. */
const exported = (message_id, at_ms, more = {}) =>
  recordAt(
    { message_id, recipient_id: "r1", link_id: "l1", sent_at_ms: LONG_AGO, ip: "192.0.2.1" },
    LONG_AGO + at_ms,
    more,
  );

const post = (body, path = "/v1/records") => worker.api(path, { method: "POST", body });

/** Brings records along; what the answer counts. */
async function bring(body) {
  const response = await post(body);
  const text = await response.text();
  assert.equal(response.status, 202, text);
  assert.equal(response.headers.get("content-type"), "application/json");
  return JSON.parse(text);
}

const ndjson = (records) => records.map((record) => `${JSON.stringify(record)}\n`).join("");
const types = (clicks) => clicks.map(({ click_type }) => click_type);

describe("records", { concurrency: true }, () => {
  test("of weeks ago settle at once, are listed as they came, counted and shipped", async () => {
    const [one, other] = [freshMessage(), freshMessage()];
    const records = [
      exported(one, 60_000, {
        url: "https://shop.example/?a=b#c",
        country: "IE",
        links_total: 3,
        group: "de",
      }),
      exported(other, 61_000, { recipient_id: "r2", kind: "open" }),
      exported(one, 30_000, { recipient_id: "r2", bounced_at_ms: LONG_AGO + 5_000 }),
    ];
    assert.deepEqual(await bring(ndjson(records)), { stored: 3, known: 0, bad: [] });
    const clicks = await settledClicks(worker, one, 2);
    assert.deepEqual(types(clicks), ["scanner_gateway", "human"]);
    assert.deepEqual(
      clicks.map(({ rule, revision }) => [rule, revision]),
      [
        ["bounced", 1],
        ["human", 1],
      ],
    );
    for (const [click, record] of [
      [clicks[0], records[2]],
      [clicks[1], records[0]],
    ]) {
      const listed = Object.entries(recordOf(click)).filter(([, value]) => value !== null);
      assert.deepEqual(Object.fromEntries(listed), { ...record, kind: "click", method: "GET" });
    }
    const [open] = await settledClicks(worker, other, 1);
    assert.equal(open.kind, "open");
    const counted = await report(worker, one);
    assert.deepEqual([counted.clicks, counted.human_clicks, counted.unsettled], [2, 1, 0]);
    const events = await shippedEvents(worker, one, 2);
    for (const { key, event } of events) {
      assert.ok(key.startsWith("events/dt=2026-09-01/hh=09/"), key);
      const { network, network_vendor, network_class, safelinks_referer, ...said } = event;
      assert.deepEqual(
        [network, network_vendor, network_class, safelinks_referer],
        [null, null, null, false],
      );
      assert.deepEqual(
        said,
        { event: "click", ...clicks.find(({ event_id }) => event_id === event.event_id) },
        "what is listed",
      );
    }
  });

  test("brought twice are there once, in whichever form, together with new ones", async () => {
    const message_id = freshMessage();
    const records = Array.from({ length: 5 }, (_, n) => exported(message_id, n * DAY_MS));
    assert.deepEqual(await bring(records.slice(0, 3)), { stored: 3, known: 0, bad: [] });
    assert.deepEqual(await bring(ndjson([...records, records[4]])), { stored: 2, known: 4, bad: [] });
    const clicks = await settledClicks(worker, message_id, 5);
    assert.deepEqual(
      clicks.map(({ event_id }) => event_id),
      records.map(({ event_id }) => event_id),
    );
    assert.deepEqual(await bring(JSON.stringify(records, null, 2)), { stored: 0, known: 5, bad: [] });
    assert.deepEqual(await listClicks(worker, message_id), clicks);
  });

  test("of a click that the edge has recorded are known", async () => {
    const { message_id, hrefs } = await mintCopy(worker);
    const { record } = await clickAndRecord(worker, hrefs[0]);
    await clicksWhen(worker, message_id, 1);
    assert.deepEqual(await bring([recordIn(record)]), { stored: 0, known: 1, bad: [] });
  });

  test("as the log's lines hold them are taken from there", async () => {
    const message_id = freshMessage();
    const records = [exported(message_id, 1_000), exported(message_id, 90_000)];
    const [line, received] = [
      { event: "click.unrecorded", reason: "unreachable: no", record: records[0] },
      { event: "click.received", ...records[1], network: "x", votes: ["+hosting_network"], label: "person" },
    ];
    assert.deepEqual(await bring(ndjson([line, received])), { stored: 2, known: 0, bad: [] });
    assert.equal((await settledClicks(worker, message_id, 2)).length, 2);
  });

  test("that are bad are told by their lines and stop no other", async () => {
    const message_id = freshMessage();
    const good = [exported(message_id, 1_000), exported(message_id, 2_000)];
    const bad = [
      ["ts_ms", { ts_ms: Math.floor(LONG_AGO / 1_000) }],
      ["recipient_id", { recipient_id: "ann@brand.example" }],
      ["event_id", { event_id: "click-1" }],
      ["sent_at_ms", { sent_at_ms: undefined }],
      ["kind", { kind: "visit" }],
      ["asn", { asn: "8075" }],
    ];
    const lines = [good[0], ...bad.map(([, wrong]) => ({ ...good[0], ...wrong })), good[1]];
    const body = `${ndjson(lines)}{"cut off":\n\n`;
    for (const [sent, places] of [
      [body, [2, 3, 4, 5, 6, 7, 9]],
      [lines, [2, 3, 4, 5, 6, 7]],
    ]) {
      const answer = await bring(sent);
      assert.equal(answer.stored + answer.known, 2);
      assert.deepEqual(
        answer.bad.map(({ line }) => line),
        places,
      );
      for (const [at, [field]] of bad.entries()) assert.ok(answer.bad[at].message.includes(field), field);
    }
    assert.equal((await settledClicks(worker, message_id, 2)).length, 2);
  });

  test("that come late amend what has settled before", async () => {
    const { message_id, hrefs } = await mintCopy(worker, { urls: SIX_URLS });
    for (const href of hrefs.slice(0, 4)) await worker.click(href, MICROSOFT);
    const before = await settledClicks(worker, message_id, 4);
    assert.ok(before.every(({ click_type }) => click_type !== "scanner_safe_attachments"));
    // The fifth had been lost.
    const lost = recordAt(recordOf(before[3]), before[3].ts_ms + 1, { link_id: "l5", url: SIX_URLS[4] });
    assert.deepEqual(await bring([lost]), { stored: 1, known: 0, bad: [] });
    const clicks = await clicksWhen(
      worker,
      message_id,
      5,
      ({ click_type, final }) => final && click_type === "scanner_safe_attachments",
    );
    assert.deepEqual(
      clicks.map(({ revision }) => revision),
      [2, 2, 2, 2, 1],
    );
  });

  test("of a flood are stored, each", async () => {
    const message_id = freshMessage();
    const records = Array.from({ length: 150 }, (_, n) => exported(message_id, 60_000 + n * 10));
    assert.deepEqual(await bring(ndjson(records)), { stored: 150, known: 0, bad: [] });
    await settledClicks(worker, message_id, 150);
    assert.deepEqual(await bring(records), { stored: 0, known: 150, bad: [] });
    assert.equal((await report(worker, message_id)).clicks, 150);
  });

  test("a body is refused as a whole where it is none, and nothing of it is taken", async () => {
    const message_id = freshMessage();
    const record = exported(message_id, 1_000);
    const most = 2 ** 20;
    const long = JSON.stringify(record).padEnd(most + 1);
    for (const [body, status, code, words, path] of [
      ["", 400, "bad_request", "body"],
      ["event_id,ts_ms\n1,2\n", 400, "bad_request", "clickproof import"],
      [`[${JSON.stringify(record)}`, 400, "bad_request", "body"],
      [[record], 400, "bad_request", "dry", "/v1/records?dry=1"],
      [long, 413, "too_large", "1 MiB"],
    ]) {
      const response = await post(body, path);
      assert.equal(response.status, status, words);
      const { error } = await response.json();
      assert.equal(error.code, code);
      assert.ok(error.message.includes(words), error.message);
    }
    assert.deepEqual(await listClicks(worker, message_id), []);
    assert.deepEqual(await bring(long.slice(0, most)), { stored: 1, known: 0, bad: [] });
    assert.deepEqual(await bring("[]"), { stored: 0, known: 0, bad: [] });
  });

  test("a megabyte of them takes its time and no more", async () => {
    const messages = Array.from({ length: 20 }, () => freshMessage());
    const records = [];
    for (let bytes = 0; ;) {
      const n = records.length;
      const record = exported(messages[n % messages.length], n * 7_000, { recipient_id: `r${n % 50}` });
      bytes += JSON.stringify(record).length + 1;
      if (bytes > 2 ** 20) break;
      records.push(record);
    }
    assert.deepEqual(await bring(ndjson(records)), { stored: records.length, known: 0, bad: [] });
    const counts = await Promise.all(messages.map(async (id) => (await listClicks(worker, id)).length));
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      records.length,
    );
  });
});
