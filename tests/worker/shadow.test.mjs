// SHADOW_RULESET: a second ruleset judges beside the active one; both verdicts are listed and shipped, and the report
// counts what would change.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  asListed,
  BARRACUDA,
  MICROSOFT,
  SIX_URLS,
  chrome,
  classified,
  clickAndRecord,
  clicksWhen,
  deliver,
  explain,
  findingOf,
  freshMessage,
  listClicks,
  mintCopy,
  report,
  settledClicks,
  shippedEvents,
  stateDir,
} from "./clicks.mjs";
import { WELL, startWorker } from "./harness.mjs";

const HOUR_MS = 3_600_000;

/** The workers by their active ruleset; the other one is the shadow. */
const workers = {};
const OTHER = { full: "defender", defender: "full" };
const LABEL = { full: "full@3", defender: "defender@1" };
before(async () => {
  for (const [RULESET, SHADOW_RULESET] of Object.entries(OTHER)) {
    workers[RULESET] = await startWorker({ vars: { SETTLE_MS: 0, RULESET, SHADOW_RULESET } });
  }
});
after(() => Promise.all(Object.values(workers).map((worker) => worker.close())));

/** What the report must say, from the clicks. */
function difference(clicks) {
  const judged = clicks.filter(({ click_type, shadow }) => click_type && shadow?.click_type);
  const differ = judged.filter(({ click_type, shadow }) => click_type !== shadow.click_type);
  const counts = {};
  for (const { click_type, shadow } of differ) {
    const change = `${click_type} ${shadow.click_type}`;
    counts[change] = (counts[change] ?? 0) + 1;
  }
  const isHuman = (type) => type === "human";
  return {
    ruleset: judged.at(-1).shadow.ruleset,
    clicks: judged.length,
    differ: differ.length,
    human_to_scanner: differ.filter(({ click_type }) => isHuman(click_type)).length,
    scanner_to_human: differ.filter(({ shadow }) => isHuman(shadow.click_type)).length,
    changes: counts,
  };
}

/** The report's word on the shadow, its changes by their names, which stand in one order. */
async function reported(worker, message_id) {
  const { shadow } = await report(worker, message_id);
  const changes = shadow.changes.map(({ active, shadow, clicks }) => [`${active} ${shadow}`, clicks]);
  return { ...shadow, changes: Object.fromEntries(changes) };
}

/** A message on which the rulesets agree and differ in every direction. */
async function disputed(worker) {
  const message_id = freshMessage("disputed");
  const sent_at_ms = Date.now() - 2 * HOUR_MS;
  const copy = (recipient_id, more) => mintCopy(worker, { message_id, recipient_id, ...more });
  // Both: the sandbox, a person.
  const sandboxed = await copy("sandboxed", { urls: SIX_URLS });
  for (const href of sandboxed.hrefs) await worker.click(href, MICROSOFT);
  const person = await copy("person");
  const { response } = await clickAndRecord(worker, person.hrefs[0], { headers: chrome() });
  // `full` alone: a sweep from anywhere, a gateway.
  const swept = await copy("swept", { urls: SIX_URLS });
  await Promise.all(swept.hrefs.map((href) => worker.click(href, { ip: "198.51.100.7" })));
  const filtered = await copy("filtered");
  await worker.click(filtered.hrefs[0], BARRACUDA);
  // The table alone: somebody known, long after the send, behind an address of Microsoft's.
  const known = await copy("known", { sent_at_ms });
  const cookie = response.headers.get("set-cookie").split(";")[0];
  await worker.click(known.hrefs[0], { ip: "52.96.0.1", headers: { ...chrome(), Cookie: cookie } });
  return message_id;
}

describe("a second ruleset", { concurrency: true }, () => {
  test("both verdicts are listed, each what its ruleset alone says, and the report counts the difference", async () => {
    const compare = async ([active, worker]) => {
      const message_id = await disputed(worker);
      const clicks = await settledClicks(worker, message_id, 15);
      for (const { shadow, ...click } of clicks) {
        assert.equal(click.ruleset, LABEL[active]);
        assert.equal(shadow.ruleset, LABEL[OTHER[active]]);
        assert.deepEqual([shadow.revision, shadow.final, shadow.verified], [1, true, "none"]);
        assert.equal(shadow.is_bot, shadow.click_type.startsWith("scanner_"));
        assert.equal("shadow" in shadow, false);
      }
      const byActive = await classified(clicks, "--ruleset", active);
      const byShadow = await classified(clicks, "--ruleset", OTHER[active]);
      assert.deepEqual(clicks.map(findingOf), byActive.map(findingOf));
      const second = clicks.map(({ event_id, shadow }) => findingOf({ event_id, ...shadow }));
      assert.deepEqual(second, byShadow.map(findingOf));

      const found = await reported(worker, message_id);
      assert.deepEqual(found, difference(clicks));
      const [there, back] = active === "full" ? [1, 7] : [7, 1];
      assert.deepEqual([found.clicks, found.differ], [15, 8]);
      assert.deepEqual([found.human_to_scanner, found.scanner_to_human], [there, back]);
      const names = ["scanner_gateway human", "scanner_sweep human", "human scanner_air_or_mbi"];
      const turned = (name) => (active === "full" ? name : name.split(" ").reverse().join(" "));
      assert.deepEqual(new Set(Object.keys(found.changes)), new Set(names.map(turned)));
    };
    await Promise.all(Object.entries(workers).map(compare));
  });

  test("both verdicts are shipped", async () => {
    const compare = async (worker) => {
      const { message_id, hrefs } = await mintCopy(worker, { urls: SIX_URLS });
      for (const href of hrefs) await worker.click(href, { headers: { "User-Agent": "curl/8.5.0" } });
      const clicks = await settledClicks(worker, message_id, 6);
      const events = await shippedEvents(worker, message_id, 6);
      const latest = events.map(({ event }) => event).filter(({ revision }) => revision === 1);
      latest.sort((a, b) => (a.event_id < b.event_id ? -1 : 1));
      assert.deepEqual(latest.map(asListed), clicks);
      const types = new Set(
        latest.map(({ click_type, shadow }) => [click_type, shadow.click_type].sort().join()),
      );
      assert.deepEqual(types, new Set(["human,scanner_declared"]));
    };
    await Promise.all(Object.values(workers).map(compare));
  });

  test("amendments move the counts: of both rulesets, or of the shadow alone", async () => {
    // Four clicks of Microsoft's filter are the table's people; the fifth makes all of them the sandbox's, to both.
    const { full, defender } = workers;
    const sandbox = await mintCopy(full, { urls: SIX_URLS });
    for (const href of sandbox.hrefs.slice(0, 4)) await full.click(href, MICROSOFT);
    const four = await settledClicks(full, sandbox.message_id, 4);
    const before = await reported(full, sandbox.message_id);
    assert.deepEqual(before, difference(four));
    assert.deepEqual([before.clicks, before.differ, before.scanner_to_human], [4, 4, 4]);
    await full.click(sandbox.hrefs[4], MICROSOFT);
    const five = await clicksWhen(full, sandbox.message_id, 5, ({ rule }) => rule === "safe_attachments");
    assert.ok(five.every(({ shadow }) => shadow.rule === "safe_attachments"));
    const settled = await settledClicks(full, sandbox.message_id, 5);
    assert.deepEqual(
      settled.map(({ revision, shadow }) => [revision, shadow.revision]),
      [...Array(4).fill([2, 2]), [1, 1]],
    );
    assert.deepEqual(await reported(full, sandbox.message_id), {
      ruleset: "defender@1",
      clicks: 5,
      differ: 0,
      human_to_scanner: 0,
      scanner_to_human: 0,
      changes: {},
    });

    // A delivery time that moves the shadow's verdict alone is a new revision, too: the active one stands in it as it was.
    const sent_at_ms = Date.now() - 300_000;
    const late = await mintCopy(defender, { sent_at_ms });
    const { "Accept-Language": _, ...headers } = chrome();
    await defender.click(late.hrefs[0], { ip: "64.235.144.5", headers });
    const [first] = await settledClicks(defender, late.message_id, 1);
    assert.deepEqual([first.click_type, first.shadow.click_type], ["human", "human"]);
    assert.equal((await reported(defender, late.message_id)).differ, 0);
    const times = [{ recipient_id: "r1", delivered_at_ms: first.ts_ms - 1_000 }];
    assert.deepEqual(await deliver(defender, late.message_id, times), { recipients: 1, reissued: 1 });
    const [second] = await listClicks(defender, late.message_id);
    assert.deepEqual(
      [second.click_type, second.shadow.click_type, second.revision],
      ["human", "scanner_gateway", 2],
    );
    assert.deepEqual(await reported(defender, late.message_id), {
      ruleset: "full@3",
      clicks: 1,
      differ: 1,
      human_to_scanner: 1,
      scanner_to_human: 0,
      changes: { "human scanner_gateway": 1 },
    });
    const events = await shippedEvents(defender, late.message_id, 2);
    assert.deepEqual(events.map(({ event }) => [event.revision, event.shadow.click_type]).toSorted(), [
      [1, "human"],
      [2, "scanner_gateway"],
    ]);
  });

  test("a provisional verdict has its shadow, and an explanation is the active ruleset's", async (t) => {
    const slow = await startWorker({ vars: { SHADOW_RULESET: "defender" } });
    t.after(() => slow.close());
    assert.equal(await (await slow.request("/healthz")).text(), WELL);
    const { message_id, hrefs } = await mintCopy(slow);
    await slow.click(hrefs[0], BARRACUDA);
    const [click] = await clicksWhen(slow, message_id, 1);
    assert.deepEqual([click.rule, click.shadow.rule, click.shadow.final], ["gateway", "human", false]);
    assert.deepEqual([click.shadow.revision, click.revision], [0, 0]);
    assert.deepEqual(await reported(slow, message_id), difference([click]));
    const { explanation, ...line } = await explain(slow, message_id, click.event_id);
    assert.deepEqual([line, explanation.ruleset], [click, "full@3"]);
  });

  test("a shadow that is switched on counts the clicks from then on, and switched off it is gone", async (t) => {
    const persist = stateDir(t);
    const message_id = freshMessage();
    const round = async (vars, recipient_id, count) => {
      const worker = await startWorker({ persist, vars: { SETTLE_MS: 0, ...vars } });
      const { hrefs } = await mintCopy(worker, { message_id, recipient_id });
      // Each from a network of its own: no click has to do with another, so none is judged again.
      await worker.click(hrefs[0], { ip: `209.222.8${count}.5` });
      const clicks = await settledClicks(worker, message_id, count);
      const said = (await report(worker, message_id)).shadow;
      await worker.close();
      return { clicks, said };
    };
    const without = await round({}, "r1", 1);
    assert.deepEqual([without.said, without.clicks[0].shadow], [undefined, undefined]);
    const on = await round({ SHADOW_RULESET: "defender" }, "r2", 2);
    assert.deepEqual(
      on.clicks.map(({ shadow }) => shadow?.click_type),
      [undefined, "human"],
    );
    assert.deepEqual([on.said.clicks, on.said.differ], [1, 1]);
    const off = await round({}, "r3", 3);
    assert.deepEqual(
      off.clicks.map(({ shadow }) => shadow?.click_type),
      [undefined, "human", undefined],
      "what was judged stands",
    );
    assert.equal(off.said.clicks, 1);
  });
});
