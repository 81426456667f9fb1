// From click to verdict: what becomes of the patterns of the published table, live.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  DESTINATION,
  MICROSOFT,
  SAFE_LINKS,
  SIX_URLS,
  classified,
  clickAsPair,
  clicksWhen,
  deliver,
  findingOf,
  freshMessage,
  listClicks,
  mintCopy,
  report,
  settledClicks,
} from "./clicks.mjs";
import { startWorker, until } from "./harness.mjs";

let worker;
before(async () => (worker = await startWorker({ vars: { RULESET: "defender", SETTLE_MS: 0 } })));
after(() => worker.close());

const HOUR_MS = 3_600_000;
const types = (clicks) => clicks.map(({ click_type }) => click_type);
const revisions = (clicks) => clicks.map(({ revision }) => revision);

describe("settled after two seconds", { concurrency: true }, () => {
  test("six links from Microsoft's network inside the first minute: Safe Attachments", async () => {
    const { message_id, hrefs } = await mintCopy(worker, { urls: SIX_URLS });
    // At once: on a busy machine the first would have settled before the last came.
    await Promise.all(hrefs.map((href) => worker.click(href, MICROSOFT)));
    const clicks = await settledClicks(worker, message_id, 6);
    for (const { event_id, click_type, ...click } of clicks) {
      assert.equal(click_type, "scanner_safe_attachments", event_id);
      assert.equal(click.rule, "safe_attachments");
      assert.equal(click.is_bot, true);
      assert.equal(click.is_defender_bot, true);
      assert.equal(click.vendor, "microsoft");
      assert.ok(["certain", "probable"].includes(click.confidence));
      assert.ok(click.reasons.includes("+microsoft_network"), String(click.reasons));
      assert.equal(click.paired_with, null);
      assert.equal(click.verified, "none");
      assert.match(click.ruleset, /^defender/);
      assert.deepEqual([click.revision, click.final], [1, true]);
    }
  });

  test("four links are no sandbox, nor are six from elsewhere or six later than a minute", async () => {
    const copies = [
      [{ urls: SIX_URLS.slice(0, 4) }, MICROSOFT],
      [{ urls: SIX_URLS }, { ip: "192.0.2.1", asn: 8075 }],
      [{ urls: SIX_URLS, sent_at_ms: Date.now() - 61_000 }, MICROSOFT],
    ];
    await Promise.all(
      copies.map(async ([copy, visitor]) => {
        const { message_id, hrefs } = await mintCopy(worker, copy);
        for (const href of hrefs) await worker.click(href, visitor);
        const clicks = await settledClicks(worker, message_id, hrefs.length);
        assert.deepEqual(new Set(types(clicks)), new Set(["human"]));
      }),
    );
  });

  test("the sweep counts from the delivery, where that is known first", async () => {
    const { message_id, hrefs } = await mintCopy(worker, {
      urls: SIX_URLS,
      sent_at_ms: Date.now() - HOUR_MS,
    });
    const told = await deliver(worker, message_id, [
      { recipient_id: "r1", delivered_at_ms: Date.now() - 1000 },
    ]);
    assert.deepEqual(told, { recipients: 1, reissued: 0 });
    for (const href of hrefs) await worker.click(href, MICROSOFT);
    const clicks = await settledClicks(worker, message_id, 6);
    assert.deepEqual(new Set(types(clicks)), new Set(["scanner_safe_attachments"]));
    assert.deepEqual(revisions(clicks), Array(6).fill(1));
  });

  test("two clicks within half a second with a Safe Links referer: the scanner, then the person", async () => {
    const pair = async (scannerFirst) => {
      const scanner = { headers: { Referer: SAFE_LINKS } };
      const visitors = scannerFirst ? [scanner, {}] : [{}, scanner];
      const { message_id } = await clickAsPair(worker, visitors);
      const [first, second] = await settledClicks(worker, message_id, 2);
      assert.deepEqual(types([first, second]), ["scanner_timeofclick", "human"]);
      assert.deepEqual([first.rule, second.rule], ["timeofclick_pair", "timeofclick_pair"]);
      assert.deepEqual([first.paired_with, second.paired_with], [second.event_id, first.event_id]);
      assert.deepEqual([first.is_bot, second.is_bot], [true, false]);
    };
    await Promise.all([true, false].map(pair));
  });

  test("a Safe Links click sooner than five seconds after the send: the check at delivery", async () => {
    const { message_id, hrefs } = await mintCopy(worker);
    await worker.click(hrefs[0], { headers: { Referer: `${SAFE_LINKS}?url=x` } });
    const [click] = await settledClicks(worker, message_id, 1);
    assert.equal(click.click_type, "scanner_safelinks_delivery");
    assert.equal(click.vendor, "microsoft");
  });

  test("a single click with no evidence: a person", async () => {
    const { message_id, hrefs } = await mintCopy(worker);
    const headers = { "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0" };
    await worker.click(hrefs[0], { headers });
    const [click] = await settledClicks(worker, message_id, 1);
    assert.deepEqual([click.click_type, click.rule, click.vendor], ["human", "human", null]);
    assert.deepEqual([click.is_bot, click.is_defender_bot], [false, false]);
    assert.deepEqual([click.revision, click.final], [1, true]);
  });

  test("thirty recipients of one URL inside a minute: a campaign view of those from Microsoft", async () => {
    const message_id = freshMessage();
    const copies = await Promise.all(
      Array.from({ length: 30 }, (_, n) => mintCopy(worker, { message_id, recipient_id: `r${n}` })),
    );
    // Anybody's clicks count; only Microsoft's are judged by it.
    const visitor = (n) => (n % 3 === 0 ? MICROSOFT : {});
    await Promise.all(copies.map(({ hrefs }, n) => worker.click(hrefs[0], visitor(n))));
    const clicks = await settledClicks(worker, message_id, 30);
    for (const { recipient_id, click_type } of clicks) {
      const microsoft = Number(recipient_id.slice(1)) % 3 === 0;
      assert.equal(click_type, microsoft ? "scanner_campaign_view" : "human", recipient_id);
    }
  });

  test("twenty-nine recipients are none", async () => {
    const message_id = freshMessage();
    const copies = await Promise.all(
      Array.from({ length: 29 }, (_, n) => mintCopy(worker, { message_id, recipient_id: `r${n}` })),
    );
    await Promise.all(copies.map(({ hrefs }) => worker.click(hrefs[0], MICROSOFT)));
    const clicks = await settledClicks(worker, message_id, 29);
    assert.deepEqual(new Set(types(clicks)), new Set(["human"]));
  });

  test("two hours after the send, from Microsoft's network: an investigation, unless a referer speaks", async () => {
    const sent_at_ms = Date.now() - 2 * HOUR_MS;
    const { message_id, hrefs } = await mintCopy(worker, { sent_at_ms, urls: SIX_URLS.slice(0, 3) });
    await worker.click(hrefs[0], MICROSOFT);
    await worker.click(hrefs[1], { ...MICROSOFT, headers: { Referer: "https://mail.example/" } });
    await worker.click(hrefs[2]);
    const clicks = await settledClicks(worker, message_id, 3);
    assert.deepEqual(types(clicks), ["scanner_air_or_mbi", "human", "human"]);
  });

  test("a click before its send (clocks differ) counts as at the send", async () => {
    const { message_id, hrefs } = await mintCopy(worker, { sent_at_ms: Date.now() + HOUR_MS });
    await worker.click(hrefs[0], { headers: { Referer: SAFE_LINKS } });
    const [click] = await settledClicks(worker, message_id, 1);
    assert.equal(click.click_type, "scanner_safelinks_delivery");
  });

  test("HEAD requests are clicks like others to the published table", async () => {
    const { message_id, hrefs } = await mintCopy(worker, { urls: SIX_URLS });
    for (const href of hrefs) await worker.click(href, { ...MICROSOFT, method: "HEAD" });
    const clicks = await settledClicks(worker, message_id, 6);
    assert.deepEqual(new Set(types(clicks)), new Set(["scanner_safe_attachments"]));
  });

  test("a fifth click that comes after four have settled amends them: revision 2", async () => {
    const { message_id, hrefs } = await mintCopy(worker, { urls: SIX_URLS });
    for (const href of hrefs.slice(0, 4)) await worker.click(href, MICROSOFT);
    const settled = await settledClicks(worker, message_id, 4);
    assert.deepEqual(new Set(types(settled)), new Set(["human"]));
    assert.deepEqual(revisions(settled), [1, 1, 1, 1]);

    await worker.click(hrefs[4], MICROSOFT);
    const clicks = await until(async () => {
      const clicks = await settledClicks(worker, message_id, 5);
      return clicks[0].revision === 2 && clicks;
    });
    assert.deepEqual(new Set(types(clicks)), new Set(["scanner_safe_attachments"]));
    assert.deepEqual(revisions(clicks), [2, 2, 2, 2, 1]);
    assert.ok(clicks.every(({ final }) => final));
    const { by_type, clicks: count } = await report(worker, message_id);
    assert.deepEqual([count, by_type.scanner_safe_attachments, by_type.human], [5, 5, 0]);
    const events = await until(async () => {
      const found = (await worker.r2Events()).map(({ event }) => event);
      const ours = found.filter((event) => event.message_id === message_id);
      return ours.length === 9 && ours;
    });
    assert.equal(events.filter(({ revision }) => revision === 2).length, 4, "amendments are shipped");
  });

  test("a delivery time told later moves the clock: what changes is issued again", async () => {
    // Sent two hours ago but delivered just now: no investigation, the sandbox.
    const sent_at_ms = Date.now() - 2 * HOUR_MS;
    const { message_id, hrefs } = await mintCopy(worker, { sent_at_ms, urls: SIX_URLS });
    const other = await mintCopy(worker, { message_id, recipient_id: "r2", sent_at_ms });
    for (const href of [...hrefs, ...other.hrefs]) await worker.click(href, MICROSOFT);
    const before = await settledClicks(worker, message_id, 7);
    assert.deepEqual(new Set(types(before)), new Set(["scanner_air_or_mbi"]));

    const delivered_at_ms = before[0].ts_ms - 1_000;
    const times = [
      { recipient_id: "r1", delivered_at_ms },
      { recipient_id: "stranger", delivered_at_ms },
    ];
    assert.deepEqual(await deliver(worker, message_id, times), { recipients: 2, reissued: 6 });
    const after = await listClicks(worker, message_id);
    assert.deepEqual(types(after), [...Array(6).fill("scanner_safe_attachments"), "scanner_air_or_mbi"]);
    assert.deepEqual(revisions(after), [2, 2, 2, 2, 2, 2, 1]);
    assert.deepEqual(
      after.map((click) => click.delivered_at_ms),
      [...Array(6).fill(delivered_at_ms), null],
    );

    assert.deepEqual(await deliver(worker, message_id, times), { recipients: 2, reissued: 0 }, "told again");
    assert.deepEqual(await listClicks(worker, message_id), after, "the same times change nothing");

    const events = await until(async () => {
      const found = (await worker.r2Events()).map(({ event }) => event);
      const again = found.filter((event) => event.message_id === message_id && event.revision === 2);
      return again.length === 6 && again;
    });
    for (const event of events) assert.equal(event.delivered_at_ms, delivered_at_ms);
  });

  test("a bounce beside a delivery: what is told later leaves what is known", async () => {
    const { message_id, hrefs } = await mintCopy(worker, { urls: SIX_URLS.slice(0, 2) });
    for (const href of hrefs) await worker.click(href);
    const [{ ts_ms }] = await settledClicks(worker, message_id, 2);
    const told = async (times) => {
      await deliver(worker, message_id, [{ recipient_id: "r1", ...times }]);
      const [{ delivered_at_ms, bounced_at_ms }] = await listClicks(worker, message_id);
      return [delivered_at_ms, bounced_at_ms];
    };
    const [delivered_at_ms, bounced_at_ms] = [ts_ms - 2_000, ts_ms - 1_000];
    assert.deepEqual(await told({ bounced_at_ms }), [null, bounced_at_ms]);
    assert.deepEqual(await told({ delivered_at_ms }), [delivered_at_ms, bounced_at_ms]);
    assert.deepEqual(await told({ bounced_at_ms: ts_ms }), [delivered_at_ms, ts_ms]);
    assert.deepEqual(await told({ delivered_at_ms: ts_ms, bounced_at_ms: null }), [ts_ms, ts_ms]);
  });

  test("a delivery time that changes no verdict issues nothing", async () => {
    const { message_id, hrefs } = await mintCopy(worker);
    await worker.click(hrefs[0]);
    const [{ ts_ms }] = await settledClicks(worker, message_id, 1);
    const told = await deliver(worker, message_id, [{ recipient_id: "r1", delivered_at_ms: ts_ms - 10 }]);
    assert.deepEqual(told, { recipients: 1, reissued: 0 });
    assert.deepEqual(revisions(await listClicks(worker, message_id)), [1]);
  });
});

test("the command line judges the listed records as the object did", async () => {
  const messages = new Set(
    worker.logs.filter(({ event }) => event === "click.received").map(({ message_id }) => message_id),
  );
  const listed = (await Promise.all([...messages].map((id) => listClicks(worker, id)))).flat();
  assert.ok(listed.length > 100 && listed.every(({ final }) => final));
  const batch = await classified(listed, "--ruleset", "defender");
  assert.deepEqual(batch.map(findingOf), listed.map(findingOf));
});

test("a verdict is there at once, provisional and by what came before", async (t) => {
  const slow = await startWorker({ vars: { RULESET: "defender" } });
  t.after(() => slow.close());
  const { message_id, hrefs } = await mintCopy(slow, { urls: SIX_URLS });
  for (const [at, href] of hrefs.entries()) {
    await slow.click(href, MICROSOFT);
    await clicksWhen(slow, message_id, at + 1);
  }
  const clicks = await listClicks(slow, message_id);
  for (const click of clicks) assert.deepEqual([click.revision, click.final], [0, false]);
  const { click_type } = clicks.at(-1);
  assert.equal(click_type, "scanner_safe_attachments", "the sixth knows of five before it");
  assert.equal((await report(slow, message_id)).unsettled, 6);
  assert.deepEqual(await slow.r2Events(), [], "nothing provisional is shipped");
});

test("a click settles when SETTLE_MS and two seconds for late recording are over, not before", async (t) => {
  const own = await startWorker({ vars: { SETTLE_MS: 500, RULESET: "full" } });
  t.after(() => own.close());
  const { message_id, hrefs } = await mintCopy(own, { urls: [DESTINATION] });
  await own.click(hrefs[0]);
  const [{ ts_ms }] = await clicksWhen(own, message_id, 1);
  const [click] = await settledClicks(own, message_id, 1);
  const waited = Date.now() - ts_ms;
  assert.ok(waited >= 2_500, `not before SETTLE_MS and the lag: ${waited} ms`);
  assert.equal(click.ruleset.split("@")[0], "full");
});
