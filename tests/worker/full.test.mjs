// Ruleset `full`, live: what makes a verdict that was settled another one.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  AMAZON,
  BARRACUDA,
  SIX_URLS,
  chrome,
  classified,
  clicksWhen,
  deliver,
  findingOf,
  freshMessage,
  listClicks,
  mintCopy,
  received,
  recordAt,
  recordIn,
  report,
  settledClicks,
  shippedEvents,
  tell,
  teller,
} from "./clicks.mjs";
import { startWorker } from "./harness.mjs";

let worker;
before(async () => (worker = await startWorker({ vars: { SETTLE_MS: 0 }, workers: [teller] })));
after(() => worker.close());

const HOUR_MS = 3_600_000;
const typesAndRevisions = (clicks) => clicks.map(({ click_type, revision }) => [click_type, revision]);
const repeated = (count, row) => Array.from({ length: count }, () => row);

/**
 * What the edge records of visitors to a message of that age, `[recipient, link, visitor]` each. To be told to another
 * one's object, at times of the test's choosing: then it is the same on any machine.
 */
async function visits(sent_at_ms, urls, opened) {
  const scratch = freshMessage("scratch");
  for (const [recipient_id, link, visitor] of opened) {
    const { hrefs } = await mintCopy(worker, { message_id: scratch, recipient_id, sent_at_ms, urls });
    await worker.click(hrefs[link], visitor);
  }
  return (await received(worker, scratch)).map(recordIn);
}

describe("ruleset full", { concurrency: true }, () => {
  describe(
    "a delivery time told late moves the votes of the first seconds and of the first minute",
    { concurrency: true },
    () => {
      test("a click from a gateway's offices, one point short", async () => {
        // Ten points of the network, four against them of the navigation, three for them of the missing language.
        const { "Accept-Language": _, ...headers } = chrome();
        const { message_id, hrefs } = await mintCopy(worker, { sent_at_ms: Date.now() - 2 * HOUR_MS });
        await worker.click(hrefs[0], { ip: "64.235.144.5", headers });
        const [{ ts_ms, ...first }] = await settledClicks(worker, message_id, 1);
        assert.deepEqual([first.click_type, first.rule, first.revision], ["human", "human", 1]);

        const revisions = [];
        for (const [ms, click_type, vote, reissued] of [
          [60_001, "human", undefined, 0],
          [60_000, "scanner_gateway", "+first_minute", 1],
          [10_000, "scanner_gateway", "+first_minute", 0],
          [9_999, "scanner_gateway", "+first_seconds", 1],
          [HOUR_MS, "human", undefined, 1],
        ]) {
          const times = [{ recipient_id: "r1", delivered_at_ms: ts_ms - ms }];
          assert.deepEqual(await deliver(worker, message_id, times), { recipients: 1, reissued }, `${ms} ms`);
          const [click] = await listClicks(worker, message_id);
          assert.deepEqual([click.click_type, click.final], [click_type, true], `${ms} ms`);
          assert.equal(
            click.reasons.find((reason) => reason.startsWith("+first_")),
            vote,
          );
          revisions.push(click.revision);
          const [batch] = await classified([click]);
          assert.deepEqual(findingOf(batch), findingOf(click));
        }
        assert.deepEqual(revisions, [1, 2, 2, 3, 4]);
        const events = await shippedEvents(worker, message_id, 4);
        assert.deepEqual(events.map(({ event }) => [event.revision, event.click_type]).toSorted(), [
          [1, "human"],
          [2, "scanner_gateway"],
          [3, "scanner_gateway"],
          [4, "human"],
        ]);
        const { by_type, human_clicks } = await report(worker, message_id);
        assert.deepEqual([human_clicks, by_type.human, by_type.scanner_gateway], [1, 1, 0]);
      });

      test("five links in some seconds, one point short of a sweep, and who came after from the same source", async () => {
        // Twelve points of the burst; six against them of the headers, three for them of X-Forwarded-For.
        const sent_at_ms = Date.now() - 2 * HOUR_MS;
        const headers = { ...chrome(), "X-Forwarded-For": BARRACUDA.ip };
        const visitor = { ip: "198.51.100.9", headers };
        const same = { ...visitor, headers: { "User-Agent": headers["User-Agent"] } };
        const records = await visits(sent_at_ms, SIX_URLS, [
          ...[0, 1, 2, 3, 4].map((link) => ["r1", link, visitor]),
          ["r2", 0, same],
        ]);
        const message_id = freshMessage();
        const began = Date.now() - 7_000;
        // Faster than hands no headers would be enough.
        const clicks = records.map((record, n) => recordAt(record, began + n * 900, { message_id }));
        assert.deepEqual(await tell(worker, message_id, clicks), repeated(6, 204));
        const before = await settledClicks(worker, message_id, 6);
        // The first may have settled before the burst showed, which is then among its reasons.
        const is = (type, steps) => before.map(({ revision }) => [type, revision + steps]);
        assert.deepEqual(typesAndRevisions(before), is("human", 0));

        const delivered_at_ms = before[0].ts_ms - 1_000;
        const told = await deliver(worker, message_id, [{ recipient_id: "r1", delivered_at_ms }]);
        assert.deepEqual(
          told,
          { recipients: 1, reissued: 6 },
          "the five, and whom their source's conviction reaches",
        );
        const after = await listClicks(worker, message_id);
        assert.deepEqual(typesAndRevisions(after), is("scanner_sweep", 1));
        assert.deepEqual(
          after.map(({ rule }) => rule),
          [...repeated(5, "sweep"), "carry_over"],
        );
        const batch = await classified(after);
        assert.deepEqual(batch.map(findingOf), after.map(findingOf));

        // Taken back, the conviction goes, and what it carried with it.
        const again = await deliver(worker, message_id, [
          { recipient_id: "r1", delivered_at_ms: sent_at_ms },
        ]);
        assert.deepEqual(again, { recipients: 1, reissued: 6 });
        assert.deepEqual(typesAndRevisions(await listClicks(worker, message_id)), is("human", 2));
      });
    },
  );

  test("a bounce that is told convicts whoever follows the links, and a later delivery lets them go", async () => {
    const sent_at_ms = Date.now() - 2 * HOUR_MS;
    const { message_id, hrefs } = await mintCopy(worker, { sent_at_ms, urls: SIX_URLS.slice(0, 1) });
    const other = await mintCopy(worker, { message_id, recipient_id: "r2", sent_at_ms });
    for (const href of [hrefs[0], other.hrefs[0]]) await worker.click(href, { headers: chrome() });
    await settledClicks(worker, message_id, 2);
    const tell = (times) => deliver(worker, message_id, [{ recipient_id: "r1", ...times }]);
    const bounced_at_ms = sent_at_ms + 60_000;
    for (const [times, reissued, mine] of [
      [{ bounced_at_ms }, 1, ["scanner_gateway", "bounced", 2]],
      [{ bounced_at_ms }, 0, ["scanner_gateway", "bounced", 2]],
      [{ delivered_at_ms: sent_at_ms + 30_000 }, 0, ["scanner_gateway", "bounced", 2]],
      [{ delivered_at_ms: bounced_at_ms + 1 }, 1, ["human", "human", 3]],
      [{ bounced_at_ms: bounced_at_ms + 1 }, 1, ["scanner_gateway", "bounced", 4]],
    ]) {
      assert.deepEqual(await tell(times), { recipients: 1, reissued }, JSON.stringify(times));
      const clicks = await listClicks(worker, message_id);
      const said = clicks.map(({ click_type, rule, revision }) => [click_type, rule, revision]);
      assert.deepEqual(said, [mine, ["human", "human", 1]]);
    }
    const events = await shippedEvents(worker, message_id, 5);
    const told = events.map(({ event }) => [event.revision, event.bounced_at_ms]);
    assert.deepEqual(told.toSorted(), [
      [1, undefined],
      [1, undefined],
      [2, bounced_at_ms],
      [3, bounced_at_ms],
      [4, bounced_at_ms + 1],
    ]);
    // Who comes now is judged by what is known.
    await worker.click(hrefs[0], { headers: chrome() });
    const clicks = await settledClicks(worker, message_id, 3);
    assert.deepEqual([clicks[2].rule, clicks[2].revision], ["bounced", 1]);
  });

  test("the first click of a burst is judged again when the burst shows", async () => {
    // Settled by itself, a person's behind a proxy that strips headers; then the rest of the copy is opened, three seconds after it.
    const machine = { ip: "198.51.100.20", headers: chrome() };
    const sent_at_ms = Date.now() - 2 * HOUR_MS;
    const { "User-Agent": agent, Accept, "Accept-Language": language } = chrome();
    const headers = { "User-Agent": agent, Accept, "Accept-Language": language };
    const bare = { ip: "198.51.100.20", headers };
    const opened = [0, 1, 2, 3, 4].map((link) => ["r1", link, bare]);
    const records = await visits(sent_at_ms, SIX_URLS.slice(0, 5), opened);
    const message_id = freshMessage();
    const began = Date.now() - 2_000;
    const [one, ...rest] = records.map((record, n) =>
      recordAt(record, began + (n > 0 ? 3_000 + n : 0), { message_id }),
    );
    await tell(worker, message_id, [one]);
    const [first] = await settledClicks(worker, message_id, 1);
    assert.deepEqual([first.click_type, first.revision], ["human", 1]);
    await tell(worker, message_id, rest);
    const clicks = await clicksWhen(
      worker,
      message_id,
      5,
      ({ click_type }) => click_type === "scanner_sweep",
    );
    const settled = await settledClicks(worker, message_id, 5);
    assert.equal(clicks.length, 5);
    assert.deepEqual(
      settled.map(({ revision }) => revision),
      [2, 1, 1, 1, 1],
    );
    // Somebody who opens two links, some seconds after that sweep, with every header: a person still.
    const person = await mintCopy(worker, { message_id, recipient_id: "r2", sent_at_ms, urls: SIX_URLS });
    await worker.click(person.hrefs[0], machine);
    await worker.click(person.hrefs[1], machine);
    const all = await settledClicks(worker, message_id, 7);
    assert.deepEqual(typesAndRevisions(all.slice(5)), repeated(2, ["human", 1]));
  });

  test("a returning cookie with coherent headers overturns what is probable, and nothing that is certain", async () => {
    const { message_id, hrefs } = await mintCopy(worker, { sent_at_ms: Date.now() - 2 * HOUR_MS });
    const response = await worker.click(hrefs[0], { headers: chrome() });
    const cookie = { Cookie: response.headers.get("set-cookie").split(";")[0] };
    const known = { ...chrome(), ...cookie };
    const probable = { ip: "64.235.144.5" };
    let others = 1;
    const { "Accept-Language": _, ...silent } = chrome();
    for (const visitor of [
      { ...probable, headers: silent },
      { ...probable, headers: known },
      { ...AMAZON, headers: known },
      { headers: { ...known, "User-Agent": "curl/8.5.0" } },
    ]) {
      const { hrefs } = await mintCopy(worker, { message_id, recipient_id: `r${++others}` });
      await worker.click(hrefs[0], visitor);
    }
    const clicks = await settledClicks(worker, message_id, 5);
    assert.deepEqual(
      clicks.map(({ click_type }) => click_type),
      ["human", "scanner_gateway", "human", "human", "scanner_declared"],
    );
    assert.ok(clicks[2].reasons.includes("-proof_of_person"));
  });
});
