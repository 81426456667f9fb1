// What leaves: every settled event lies in the bucket as NDJSON, under a key that a retry overwrites.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  DESTINATION,
  MICROSOFT,
  SIX_URLS,
  listClicks,
  mintCopy,
  received,
  report,
  settledClicks,
  shippedEvents,
} from "./clicks.mjs";
import { startWorker, until } from "./harness.mjs";

let worker;
before(async () => (worker = await startWorker({ vars: { SETTLE_MS: 0 } })));
after(() => worker.close());

const shipped = (message_id, count) => shippedEvents(worker, message_id, count);
const versions = (events) => events.map(({ event }) => `${event.event_id} ${event.revision}`);

/** The newest revision of each, by id. */
function newest(events) {
  const found = new Map();
  for (const { event } of events) {
    if (!(found.get(event.event_id)?.revision > event.revision)) found.set(event.event_id, event);
  }
  return [...found.values()].toSorted((a, b) => (a.event_id < b.event_id ? -1 : 1));
}

/** The message's settled clicks, and its shipped events once they say the same revisions. */
function settledAndShipped(message_id, count) {
  return until(async () => {
    const clicks = await settledClicks(worker, message_id, count);
    const events = await shipped(message_id, count);
    const keys = (all) => all.map(({ event_id, revision }) => `${event_id} ${revision}`).join();
    return keys(newest(events)) === keys(clicks) && { clicks, events };
  });
}

/** The bucket's objects that hold a message's events, by key. */
async function objects(message_id) {
  const keys = new Set((await shipped(message_id, 1)).map(({ key }) => key));
  return new Map([...(await worker.r2Objects())].filter(([key]) => keys.has(key)));
}

describe("the archive", { concurrency: true }, () => {
  test("it holds what the API lists, each event and revision once, under the click's day and hour", async () => {
    const { message_id, hrefs } = await mintCopy(worker, { urls: SIX_URLS });
    for (const href of hrefs) await worker.click(href, MICROSOFT);
    const { clicks, events } = await settledAndShipped(message_id, 6);
    assert.equal(new Set(versions(events)).size, events.length);
    const bare = newest(events).map((event) => {
      const { event: name, network, network_vendor, network_class, safelinks_referer, ...amended } = event;
      const { previous_click_type: previous, ...rest } = amended;
      assert.equal(previous !== undefined, event.revision > 1, "from revision 2 on");
      const place = [name, network, network_vendor, network_class, safelinks_referer];
      assert.deepEqual(place, [
        "click",
        "Defender table: mail filter",
        "microsoft",
        "scanner-certain",
        false,
      ]);
      return rest;
    });
    assert.deepEqual(bare, clicks, "record and verdict, field by field");

    for (const [key, { text, contentType }] of await objects(message_id)) {
      assert.match(key, /^events\/dt=\d{4}-\d\d-\d\d\/hh=\d\d\/[^/]+\.ndjson$/);
      assert.equal(contentType, "application/x-ndjson");
      assert.ok(text.endsWith("\n"));
      const lines = text.trimEnd().split("\n");
      for (const line of lines) assert.ok(line.startsWith('{"event":"click",'), line);
      const first = Math.min(...lines.map((line) => JSON.parse(line).ts_ms));
      const hour = new Date(first).toISOString();
      assert.ok(key.startsWith(`events/dt=${hour.slice(0, 10)}/hh=${hour.slice(11, 13)}/`), key);
    }
  });

  test("the edge's line and the shipped event say the same of a click", async () => {
    const { message_id, hrefs } = await mintCopy(worker, { group: "gmail.com" });
    const headers = { "User-Agent": '<b>"quoted"</b>\t', Referer: "https://mail.example/" };
    await worker.click(hrefs[0], { headers, country: "IS" });
    const [{ event: shippedEvent }] = await shipped(message_id, 1);
    const [line] = await received(worker, message_id);
    const fields = Object.keys(line).filter((name) => name in shippedEvent && name !== "event");
    assert.ok(fields.length >= 30, `${fields.length} fields of the record`);
    assert.equal(shippedEvent.group, "gmail.com");
    for (const name of fields) assert.deepEqual(shippedEvent[name], line[name], name);
  });

  test("reship sends the same bytes under the same keys", async () => {
    const { message_id, hrefs } = await mintCopy(worker, { urls: SIX_URLS });
    for (const href of hrefs.slice(0, 4)) await worker.click(href, MICROSOFT);
    await settledClicks(worker, message_id, 4);
    await worker.click(hrefs[4], MICROSOFT);
    // Four settled twice, and the fifth.
    await shipped(message_id, 9);
    const before = await objects(message_id);

    const response = await worker.api(`/v1/messages/${message_id}/reship`, { method: "POST" });
    assert.deepEqual([response.status, await response.json()], [202, { events: 9 }]);
    const after = await until(async () => {
      const now = await objects(message_id);
      return [...now].every(([key, { uploaded }]) => uploaded > (before.get(key)?.uploaded ?? 0)) && now;
    });
    const bytes = (found) => [...found].map(([key, { text }]) => [key, text]);
    assert.deepEqual(bytes(after), bytes(before));
    const events = await shipped(message_id, 9);
    assert.equal(events.length, 9);
    assert.equal(new Set(versions(events)).size, 9);
  });

  test("reship restores what was lost from the bucket", async () => {
    const { message_id, hrefs } = await mintCopy(worker, { urls: SIX_URLS.slice(0, 3) });
    for (const href of hrefs) await worker.click(href);
    await shipped(message_id, 3);
    const before = await objects(message_id);
    await worker.r2Delete(before.keys());
    assert.equal((await worker.r2Objects()).has([...before.keys()][0]), false);
    await worker.api(`/v1/messages/${message_id}/reship`, { method: "POST" });
    await shipped(message_id, 3);
    const bytes = (found) => [...found].map(([key, { text }]) => [key, text]);
    assert.deepEqual(bytes(await objects(message_id)), bytes(before));
  });

  test("a flood on one link is stored up to a hundred and counted beyond: report and bucket agree", async () => {
    const { message_id, hrefs } = await mintCopy(worker, { urls: [DESTINATION, `${DESTINATION}&other`] });
    for (let n = 0; n < 150; n++) assert.equal((await worker.click(hrefs[0])).status, 302);
    await worker.click(hrefs[1]);
    await settledClicks(worker, message_id, 101);
    const total = await until(async () => {
      const found = await report(worker, message_id);
      return found.clicks + found.repeats === 151 && found.unsettled === 0 && found;
    });
    assert.deepEqual([total.clicks, total.repeats], [101, 50]);
    const clicks = await listClicks(worker, message_id);
    const bearers = clicks.filter(({ repeats }) => repeats !== null);
    assert.deepEqual(
      bearers.map(({ repeats, link_id }) => [repeats, link_id]),
      [[50, "l1"]],
      "on the last record",
    );
    assert.equal(bearers[0].event_id, clicks.filter(({ link_id }) => link_id === "l1").at(-1).event_id);

    const latest = await until(async () => {
      const newest = new Map();
      for (const { event } of await shipped(message_id, 101)) {
        if (!(newest.get(event.event_id)?.revision > event.revision)) newest.set(event.event_id, event);
      }
      const repeats = [...newest.values()].reduce((sum, event) => sum + (event.repeats ?? 0), 0);
      return newest.size === 101 && repeats === 50 && newest;
    });
    assert.deepEqual(
      [...latest.keys()].toSorted(),
      clicks.map(({ event_id }) => event_id),
    );
    const events = await shipped(message_id, 101);
    assert.equal(new Set(versions(events)).size, events.length, "each revision once");
    assert.equal((await received(worker, message_id)).length, 151, "the edge has told of each");
  });

  test("a busy message is shipped whole: nothing is left out, nothing twice", async () => {
    const urls = Array.from({ length: 10 }, (_, n) => `https://shop.example/${n}`);
    const { message_id, hrefs } = await mintCopy(worker, { urls });
    // The longest records there may be: they must fit the queue's messages.
    const long = Object.fromEntries(
      ["User-Agent", "Accept", "Accept-Language", "X-Forwarded-For", "Sec-CH-UA", "Sec-Purpose"].map(
        (name) => [name, '"'.repeat(1024)],
      ),
    );
    for (let n = 0; n < 20; n++) {
      await Promise.all(hrefs.map((href) => worker.click(href, { headers: long })));
    }
    const { events } = await settledAndShipped(message_id, 200);
    assert.equal(new Set(versions(events)).size, events.length);
  });
});
