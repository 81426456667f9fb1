// Delivery times for a large message: the first few clicks are judged again with the call, the others by alarms, which go
// on by themselves after a crash.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  MICROSOFT,
  clickAndRecord,
  deliver,
  freshMessage,
  mintCopy,
  recordAt,
  recordIn,
  stateDir,
  tell,
  teller,
} from "./clicks.mjs";
import { startWorker, until } from "./harness.mjs";

const RECIPIENTS = 8_000;
const HOUR_MS = 3_600_000;
// Told in parts: alarms settle some while others arrive.
const PART = 500;
// So many settled clicks a call and an alarm may judge again, and those of the pack that is begun.
const A_CALL = 256 + 128;
const AN_ALARM = 2_048 + 128;

// Two hours after the send, from Microsoft's network, a click is an investigation; soon after its delivery it is not.
// Every fourth recipient is elsewhere, and a person whatever the clock says. No campaign is to make them one crowd.
const OPTIONS = {
  vars: { RULESET: "defender", SETTLE_MS: 0, CAMPAIGN_RECIPIENTS: 1_000_000 },
  workers: [teller],
};
const isElsewhere = (recipient_id) => Number(recipient_id.slice(1)) % 4 === 0;
const CHANGED = (RECIPIENTS * 3) / 4;

test("a large delivery is judged again by alarms, after a crash too, and each change is shipped", async (t) => {
  const persist = stateDir(t);
  let worker;
  t.after(() => worker?.close());
  const start = async () => (worker = await startWorker({ ...OPTIONS, persist }));
  await start();
  const message_id = freshMessage("delivered");
  const sent_at_ms = Date.now() - 2 * HOUR_MS;
  const records = [];
  for (const visitor of [{}, MICROSOFT]) {
    const { hrefs } = await mintCopy(worker, { sent_at_ms });
    records.push(recordIn((await clickAndRecord(worker, hrefs[0], visitor)).record));
  }
  const [person, microsoft] = records;

  const began = Date.now() - 60_000;
  const clicks = Array.from({ length: RECIPIENTS }, (_, n) => {
    const recipient_id = `r${n}`;
    const record = isElsewhere(recipient_id) ? person : microsoft;
    return recordAt(record, began + n, { message_id, recipient_id });
  });
  for (let at = 0; at < RECIPIENTS; at += PART) {
    const answers = await tell(worker, message_id, clicks.slice(at, at + PART));
    assert.deepEqual(new Set(answers), new Set([204]));
  }
  const first = await shipped(worker, message_id, 1, RECIPIENTS);
  for (const { recipient_id, click_type } of first) {
    assert.equal(click_type, isElsewhere(recipient_id) ? "human" : "scanner_air_or_mbi", recipient_id);
  }

  const settled = ({ event, object }) => event === "message.settled" && object === message_id;
  const amended = () => worker.logs.filter(settled).map(({ amended }) => amended);
  const sum = (counts) => counts.reduce((sum, count) => sum + count, 0);
  // The clock moves there and back until a crash leaves much to be done: usually at once, alarms come once a second.
  let revision = 1;
  for (let left = 0; left <= AN_ALARM;) {
    assert.ok(revision < 10, "a crash in the middle");
    revision += 1;
    const age_ms = revision % 2 === 0 ? 1_000 : 2 * HOUR_MS;
    const times = clicks.map(({ recipient_id, ts_ms }) => ({
      recipient_id,
      delivered_at_ms: ts_ms - age_ms,
    }));
    const seen = amended().length;
    const told = await deliver(worker, message_id, times);
    assert.equal(told.recipients, RECIPIENTS);
    // The clicks that alarms will look at are among them: those that change, and at most all.
    assert.ok(told.reissued >= CHANGED && told.reissued <= RECIPIENTS, `${told.reissued} reissued`);
    const byAlarms = () => sum(amended().slice(seen));
    await until(() => byAlarms() > 0, { what: "an alarm that judges again" });
    await worker.close();
    // One more alarm may not have told.
    left = CHANGED - A_CALL - byAlarms();
    t.diagnostic(`revision ${revision}: at least ${left - AN_ALARM} of ${CHANGED} are left by the crash`);

    await start();
    if (left > AN_ALARM)
      await until(() => sum(amended()) > 0, { what: "an alarm that nobody has set again" });
    // What lay in the local queue is gone with the crash.
    const reship = await worker.api(`/v1/messages/${message_id}/reship`, { method: "POST" });
    assert.equal(reship.status, 202);
    const type = revision % 2 === 0 ? "human" : "scanner_air_or_mbi";
    for (const event of await shipped(worker, message_id, revision, CHANGED)) {
      assert.ok(!isElsewhere(event.recipient_id), event.recipient_id);
      assert.deepEqual([event.click_type, event.delivered_at_ms], [type, event.ts_ms - age_ms]);
    }
    assert.ok(
      amended().every((count) => count <= AN_ALARM),
      `at most ${AN_ALARM} by an alarm`,
    );
    const again = await deliver(worker, message_id, times);
    assert.deepEqual(again, { recipients: RECIPIENTS, reissued: 0 }, "told again");
  }

  const listed = await worker.clicks(message_id);
  assert.deepEqual(
    listed.map(({ event_id }) => event_id),
    clicks.map(({ event_id }) => event_id),
  );
  for (const click of listed) {
    assert.deepEqual(
      [click.revision, click.final],
      [isElsewhere(click.recipient_id) ? 1 : revision, true],
      click.recipient_id,
    );
  }
});

/** A message's events of a revision, once this life of the worker has written every revision of every click. */
async function shipped(worker, message_id, revision, count) {
  const total = RECIPIENTS + CHANGED * (revision - 1);
  // To read the whole store again and again is more than what is tested.
  const written = () => new Map(worker.logs.filter(isWritten).map(({ key, events }) => [key, events]));
  await until(() => [...written().values()].reduce((sum, events) => sum + events, 0) >= total, {
    what: `${total} events in the store`,
  });
  const events = await until(
    async () => {
      const all = (await worker.r2Events()).map(({ event }) => event);
      const events = all.filter((event) => event.message_id === message_id);
      return events.length >= total && events;
    },
    { every: 1_000, what: "the message's among them" },
  );
  const versions = new Set(events.map((event) => `${event.event_id} ${event.revision}`));
  assert.deepEqual([events.length, versions.size], [total, total], "each once");
  const found = events.filter((event) => event.revision === revision);
  assert.equal(found.length, count);
  return found;
}

const isWritten = ({ event }) => event === "events.written";
