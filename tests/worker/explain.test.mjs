// A click explained, live: the listed line, and every rule that was asked about it.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  AMAZON,
  BARRACUDA,
  MICROSOFT,
  SAFE_LINKS,
  SIX_URLS,
  askWhy,
  chrome,
  classified,
  clickAsPair,
  clicksWhen,
  explain,
  freshMessage,
  listClicks,
  mintCopy,
  settledClicks,
} from "./clicks.mjs";
import { startWorker } from "./harness.mjs";

let worker, slow;
before(async () => {
  worker = await startWorker({ vars: { SETTLE_MS: 0 } });
  slow = await startWorker();
});
after(() => Promise.all([worker?.close(), slow?.close()]));

const ruleOf = ({ explanation }, id) => explanation.rules.find(({ rule }) => rule === id);
const factsOf = (click, id) => ruleOf(click, id).facts.map(({ is, holds }) => [is, holds]);
const decidingOf = ({ explanation }) =>
  explanation.rules.filter(({ decided }) => decided).map(({ rule }) => rule);

/** A machine sweeps one copy with a person's headers, then opens one link of somebody else's: its message. */
async function sweepAndOneMore(at) {
  const machine = { ...AMAZON, headers: chrome() };
  const { message_id, hrefs } = await mintCopy(at, { urls: SIX_URLS });
  const other = await mintCopy(at, { message_id, recipient_id: "r2" });
  await Promise.all(hrefs.map((href) => at.click(href, machine)));
  await clicksWhen(at, message_id, 6);
  await at.click(other.hrefs[0], machine);
  await clicksWhen(at, message_id, 7);
  return message_id;
}

describe("a click explained", { concurrency: true }, () => {
  test("it is the listed line with the explanation behind it, as the command line gives it", async () => {
    const message_id = freshMessage("why");
    const copy = (recipient_id, urls) => mintCopy(worker, { message_id, recipient_id, urls });
    const sandboxed = await copy("sandboxed", SIX_URLS);
    for (const href of sandboxed.hrefs) await worker.click(href, MICROSOFT);
    const single = await copy("single");
    await worker.click(single.hrefs[0], BARRACUDA);
    const person = await copy("person");
    await worker.click(person.hrefs[0], { headers: chrome() });
    const tool = await copy("tool");
    await worker.click(tool.hrefs[0], { headers: { "User-Agent": "curl/8.5.0" }, method: "HEAD" });
    const checked = await copy("checked");
    await worker.click(checked.hrefs[0], { headers: { Referer: SAFE_LINKS } });

    const clicks = await settledClicks(worker, message_id, 10);
    assert.deepEqual(
      new Set(clicks.map(({ rule }) => rule)),
      new Set(["safe_attachments", "gateway", "human", "declared", "safelinks_delivery"]),
    );
    const batch = await classified(clicks, "--explain");
    for (const [at, click] of clicks.entries()) {
      const { explanation, ...line } = await explain(worker, message_id, click.event_id);
      assert.deepEqual(line, click);
      assert.equal(explanation.ruleset, "full@3");
      assert.deepEqual(explanation, batch[at].explanation, click.rule);
      assert.deepEqual(decidingOf({ explanation }), [click.rule]);
    }
  });

  test("it is JSON that nobody may store, and HEAD has no body", async () => {
    const { message_id, hrefs } = await mintCopy(worker);
    await worker.click(hrefs[0]);
    const [{ event_id }] = await clicksWhen(worker, message_id, 1);
    const get = await askWhy(worker, message_id, event_id);
    assert.equal(get.headers.get("content-type"), "application/json");
    assert.match(get.headers.get("cache-control"), /no-store/);
    const head = await askWhy(worker, message_id, event_id, { method: "HEAD" });
    assert.deepEqual([head.status, await head.text()], [200, ""]);
    for (const name of ["content-type", "cache-control"]) {
      assert.equal(head.headers.get(name), get.headers.get(name));
    }
  });

  test("a provisional click looks back alone; settled, it has seen what came after", async () => {
    for (const at of [slow, worker]) {
      const { message_id, hrefs } = await mintCopy(at, { urls: SIX_URLS });
      for (const [n, href] of hrefs.entries()) {
        await at.click(href, MICROSOFT);
        await clicksWhen(at, message_id, n + 1);
      }
      const settles = at === worker;
      const clicks = settles ? await settledClicks(at, message_id, 6) : await listClicks(at, message_id);
      const seen = [];
      for (const { event_id } of clicks) {
        const click = await explain(at, message_id, event_id);
        assert.deepEqual([click.final, click.revision], settles ? [true, 1] : [false, 0]);
        assert.deepEqual(decidingOf(click), [click.rule]);
        seen.push(factsOf(click, "safe_attachments")[2]);
      }
      const counts = settles ? Array(6).fill(6) : [1, 2, 3, 4, 5, 6];
      assert.deepEqual(
        seen,
        counts.map((count) => [count, count >= 5]),
      );
    }
  });

  test("a pair is seen from both sides once both are there", async () => {
    const visitors = [{ headers: { Referer: SAFE_LINKS } }, { headers: chrome() }];
    const { message_id } = await clickAsPair(worker, visitors);
    for (const { event_id, paired_with } of await settledClicks(worker, message_id, 2)) {
      const click = await explain(worker, message_id, event_id);
      assert.deepEqual(decidingOf(click), ["timeofclick_pair"]);
      assert.equal(click.paired_with, paired_with);
      assert.equal(ruleOf(click, "timeofclick_pair").settings.PAIR_MS, 500);
    }
  });

  test("a carried conviction stands in the facts, once it is settled", async () => {
    const settled = await sweepAndOneMore(worker);
    const clicks = await settledClicks(worker, settled, 7);
    assert.deepEqual(
      clicks.map(({ rule, click_type }) => [rule, click_type]),
      [...Array(6).fill(["sweep", "scanner_sweep"]), ["carry_over", "scanner_sweep"]],
    );
    const last = await explain(worker, settled, clicks.at(-1).event_id);
    assert.deepEqual(decidingOf(last), ["carry_over"]);
    assert.deepEqual(factsOf(last, "carry_over")[0], ["scanner_sweep", true]);
    assert.ok(last.reasons.includes("+convicted_source"));
    const first = await explain(worker, settled, clicks[0].event_id);
    assert.deepEqual(
      factsOf(first, "carry_over")[0],
      [null, false],
      "what convicts is not convicted by itself",
    );

    const open = await sweepAndOneMore(slow);
    const waiting = await listClicks(slow, open);
    const provisional = await explain(slow, open, waiting.at(-1).event_id);
    assert.deepEqual([provisional.rule, provisional.final], ["human", false]);
    assert.deepEqual(factsOf(provisional, "carry_over")[0], [null, false]);

    const batch = await classified(clicks, "--explain");
    for (const [at, { event_id }] of clicks.entries()) {
      const { explanation } = await explain(worker, settled, event_id);
      assert.deepEqual(explanation, batch[at].explanation);
    }
  });

  test("the settings in force stand beside their rules", async (t) => {
    const vars = { SETTLE_MS: 0, SANDBOX_CLICKS: 2, SANDBOX_MS: 30_000, RULESET: "defender" };
    const own = await startWorker({ vars });
    t.after(() => own.close());
    const { message_id, hrefs } = await mintCopy(own, { urls: SIX_URLS });
    for (const href of hrefs.slice(0, 2)) await own.click(href, MICROSOFT);
    const [{ event_id }] = await settledClicks(own, message_id, 2);
    const click = await explain(own, message_id, event_id);
    assert.deepEqual([click.explanation.ruleset, click.ruleset], ["defender@1", "defender@1"]);
    const { decided, settings } = ruleOf(click, "safe_attachments");
    assert.deepEqual([decided, settings], [true, { SANDBOX_MS: 30_000, SANDBOX_CLICKS: 2 }]);
    assert.equal(click.explanation.rules.length, 6, "the table's rows");
  });

  test("an unknown click is a 404, what is no event_id a 400 that says so", async () => {
    const { message_id, hrefs } = await mintCopy(worker);
    await worker.click(hrefs[0]);
    const [{ event_id }] = await clicksWhen(worker, message_id, 1);
    const unknown = event_id.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
    for (const [id, status, code, words] of [
      [unknown, 404, "not_found", /click/],
      [event_id.toUpperCase(), 400, "bad_request", /^event_id/],
      [`${event_id}0`, 400, "bad_request", /^event_id/],
      [event_id.slice(1), 400, "bad_request", /^event_id/],
      [`${event_id}/x`, 400, "bad_request", /^event_id/],
      ["", 400, "bad_request", /^event_id/],
      ["x", 400, "bad_request", /^event_id/],
    ]) {
      const response = await askWhy(worker, message_id, id);
      assert.equal(response.status, status, id);
      const { error } = await response.json();
      assert.equal(error.code, code);
      assert.match(error.message, words);
      const head = await askWhy(worker, message_id, id, { method: "HEAD" });
      assert.deepEqual([head.status, await head.text()], [status, ""]);
    }
    const elsewhere = await askWhy(worker, freshMessage(), event_id);
    assert.equal(elsewhere.status, 404, "another message's click");
  });
});
