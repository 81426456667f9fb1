// Many clicks at once on one message: none is lost, each is stored once, and what they cost in rows is what the design
// says. The object counts its rows and alarms itself, so that the bounds hold on any machine, at whatever pace.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { asListed } from "./clicks.mjs";
import { startWorker, until } from "./harness.mjs";

const DESTINATION = "https://shop.example/offer";
// A browser's, so that records are as long as real ones.
const HEADERS = {
  Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Accept-Language": "en-GB,en;q=0.9",
  "Sec-CH-UA": '"Chromium";v="141", "Google Chrome";v="141", "Not.A/Brand";v="24"',
  "Sec-Fetch-Dest": "document",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Site": "cross-site",
  "Sec-Fetch-User": "?1",
  "User-Agent":
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
};

test("five hundred clicks at once on one message: none is lost", async (t) => {
  const worker = await started(t);
  const copies = await Promise.all(Array.from({ length: 500 }, (_, n) => mint(worker, "crowd", `r${n}`, 1)));
  await Promise.all(copies.map(([link]) => redirected(worker, link)));

  const clicks = await settled(worker, "crowd", 500);
  assert.equal(new Set(clicks.map((click) => click.recipient_id)).size, 500);
  await storedOnce(worker, clicks);
});

test("five hundred clicks at once on one link of one recipient: each is stored or counted", async (t) => {
  const worker = await started(t);
  const [link] = await mint(worker, "flood", "r", 1);
  await Promise.all(Array.from({ length: 500 }, () => redirected(worker, link)));

  await until(
    async () => {
      const { clicks, repeats } = await (await worker.api("/v1/messages/flood")).json();
      return clicks + repeats === 500;
    },
    { what: "500 clicks, stored or counted" },
  );
  const clicks = await settled(worker, "flood", 100);
  await storedOnce(worker, clicks);
  assert.equal(
    clicks.reduce((sum, { repeats }) => sum + repeats, 0),
    400,
  );
});

test("a thousand beacons for one click are one fact and cost one row", async (t) => {
  const BEACONS = 1_000;
  const worker = await startWorker({ vars: { SETTLE_MS: 0, CLICK_REF_PARAM: "cp" } });
  t.after(() => worker.close());
  const rows = async (beacons) => {
    const message_id = `beacons-${beacons}`;
    const [link] = await mint(worker, message_id, "r", 1);
    const { headers } = await worker.click(link, { headers: HEADERS });
    const reference = new URL(headers.get("location")).searchParams.get("cp");
    for (let sent = 0; sent < beacons; sent += 100) {
      const some = Array.from({ length: Math.min(100, beacons - sent) }, () =>
        worker.click(`/verify?r=${reference}`, { method: "POST", body: "700", headers: HEADERS }),
      );
      for (const { status } of await Promise.all(some)) assert.equal(status, 204);
    }
    const verified = async () => (await worker.clicks(message_id)).at(0)?.verified === "interacted";
    if (beacons > 0) await until(verified, { every: 200, what: "the beacons' verdict" });
    // A click of another recipient, settled later, has the object tell its counts once more.
    await worker.click((await mint(worker, message_id, "last", 1))[0], { headers: HEADERS });
    await settled(worker, message_id, 2);
    const lines = await told(worker, message_id, 2);
    const seen = (await worker.r2Events()).map(({ event }) => event);
    const verifies = seen.filter((event) => event.event === "verify" && event.message_id === message_id);
    assert.equal(verifies.length, Math.min(1, beacons), "one event");
    return lines.at(-1).rows_written;
  };
  const [one, many] = [await rows(1), await rows(BEACONS)];
  t.diagnostic(`rows with one beacon ${one}, with ${BEACONS} ${many}`);
  assert.ok(many <= one + 2, `${many} rows, and ${one} with a single beacon`);
});

// What the platform counts for the tables of a new message and its own row.
const CREATION = 3;

test("clicks of a busy second share a row, and what an alarm settles three: the pack, its mark and the alarm", async (t) => {
  const CLICKS = 1_000;
  const EVERY_MS = 10;
  const worker = await started(t);
  const copies = await Promise.all(
    Array.from({ length: CLICKS / 10 }, (_, n) => mint(worker, "steady", `recipient-${n * 7919}`, 10)),
  );
  const began = Date.now();
  const redirects = [];
  for (const [n, link] of copies.flat().entries()) {
    await sleep(Math.max(0, began + n * EVERY_MS - Date.now()));
    // Everybody has an address of their own.
    redirects.push(redirected(worker, link, { ip: `203.0.${n >> 8}.${n & 255}` }));
  }
  await Promise.all(redirects);

  const clicks = await settled(worker, "steady", CLICKS);
  await storedOnce(worker, clicks);
  const alarms = await told(worker, "steady", CLICKS);
  const seconds = (Date.now() - began) / 1_000;
  const last = alarms.at(-1);
  const sum = (count) => alarms.reduce((sum, alarm) => sum + count(alarm), 0);
  const packs = sum(({ packs_shipped }) => packs_shipped);
  const rows = (last.rows_written + last.alarms_set) / CLICKS;
  t.diagnostic(
    `${rows.toFixed(3)} rows a click: ${last.rows_written} and ${last.alarms_set} alarms, which made ${packs} packs`,
  );
  t.diagnostic(`${last.calls} calls brought ${last.clicks} clicks in ${last.groups} groups`);
  t.diagnostic(`${(last.stored_bytes / CLICKS).toFixed(0)} bytes stored for each`);
  assert.ok(rows <= 0.05, `${rows} rows a click`);
  assert.equal(last.clicks, CLICKS);
  // A group waits for a second at most, so there are hardly more than seconds; the first few clicks wait for nobody.
  assert.ok(last.groups <= seconds + 6, `${last.groups} groups in ${seconds} seconds`);
  // A group's row, a pack and its mark; a click so late that it is marked costs one more.
  const known = CREATION + last.groups + 2 * packs;
  assert.ok(last.rows_written <= known + CLICKS / 100, `${last.rows_written} rows, ${known} are known`);
  assert.ok(last.stored_bytes <= 250 * CLICKS, `${last.stored_bytes} bytes`);
  assert.ok(alarms.length <= seconds + 2, `${alarms.length} alarms in ${seconds} seconds`);
  // What comes sooner than what it is set for sets it anew.
  assert.ok(last.alarms_set <= 2 * alarms.length + 1, `${last.alarms_set} set for ${alarms.length}`);
});

test("a click now and then costs its row, its pack and two alarms: no mark", async (t) => {
  const worker = await started(t);
  for (let at = 0; at < 4; at += 1) {
    const [link] = await mint(worker, "trickle", `r${at}`, 1);
    await redirected(worker, link, { ip: `203.0.113.${at}` });
    await settled(worker, "trickle", at + 1);
    await until(async () => (await worker.r2Events()).length === at + 1, { what: "the click in R2" });
  }
  const { rows_written, alarms_set } = (await told(worker, "trickle", 4)).at(-1);
  // Between two clicks the alarm is set for when the message is too old: the last is set after what was told.
  assert.deepEqual([rows_written - CREATION, alarms_set], [2 * 4, 2 * 4 - 1]);
});

async function started(t) {
  const worker = await startWorker({ vars: { SETTLE_MS: 500 } });
  t.after(() => worker.close());
  return worker;
}

async function mint(worker, message_id, recipient_id, count) {
  const links = Array.from({ length: count }, (_, n) => ({ link_id: `l${n}`, url: DESTINATION }));
  const minted = await worker.mint({ message_id, recipient_id, sent_at_ms: Date.now(), links });
  return minted.links.map(({ href }) => href);
}

async function redirected(worker, link, visitor) {
  const { status, headers } = await worker.click(link, { headers: HEADERS, ...visitor });
  assert.equal(status, 302);
  assert.equal(headers.get("location"), DESTINATION);
}

/** What an object has told of its alarms, once they have settled so many clicks; its counts go up from its start. */
async function told(worker, name, count) {
  const lines = () =>
    worker.logs.filter(({ event, object }) => event === "message.settled" && object === name);
  await until(() => lines().reduce((sum, { settled }) => sum + settled, 0) >= count, {
    what: `the lines on ${count} settled clicks`,
  });
  return lines();
}

/** The clicks of a message, once there are as many as expected and the alarm has settled each. */
async function settled(worker, message_id, count) {
  await until(
    async () => {
      const report = await (await worker.api(`/v1/messages/${message_id}`)).json();
      return report.clicks >= count && report.unsettled === 0;
    },
    { every: 200, what: `${count} settled clicks` },
  );
  const clicks = await worker.clicks(message_id);
  assert.equal(clicks.length, count);
  assert.equal(new Set(clicks.map(({ event_id }) => event_id)).size, count);
  assert.deepEqual(
    clicks.filter(({ final, revision }) => !final || revision < 1),
    [],
  );
  return clicks;
}

/** Waits until R2 holds each of the clicks as it is listed, and sees that it holds nothing twice. */
async function storedOnce(worker, clicks) {
  const keyOf = ({ event_id, revision }) => `${event_id} ${revision}`;
  let stored;
  await until(
    async () => {
      stored = (await worker.r2Events()).map(({ event }) => event);
      const keys = new Set(stored.map(keyOf));
      return clicks.every((click) => keys.has(keyOf(click)));
    },
    { every: 200, what: "every click in R2" },
  );
  const byKey = new Map(stored.map((event) => [keyOf(event), event]));
  assert.equal(byKey.size, stored.length, "stored once");
  for (const click of clicks) assert.deepEqual(asListed(byKey.get(keyOf(click))), click);
}
