// A simulated send, played against the running worker: what arrives is what was simulated, and what the object settles
// is what the command line says of the same records, by both rulesets.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  classified,
  clickproof,
  clicksWhen,
  explain,
  findingOf,
  freshMessage,
  parseLines,
} from "./clicks.mjs";
import { API_TOKEN, LINK_KEYS, startWorker } from "./harness.mjs";

let worker;
before(async () => (worker = await startWorker({ vars: { SETTLE_MS: 0, SHADOW_RULESET: "defender" } })));
after(() => worker.close());

/** The names of all kinds of visitors. */
async function visitors() {
  const { stdout } = await clickproof(["simulate", "--list"]);
  const labels = stdout
    .trim()
    .split("\n")
    .map((line) => line.split(" ")[0]);
  assert.ok(labels.length > 50 && labels.every((label) => /^[a-z_]+:[a-z_]+$/.test(label)), stdout);
  return labels.map((label) => label.split(":")[1]);
}

/** Plays kinds, all without any; the records as they were sent, and the clicks as the worker lists them, settled. */
async function play(kinds, speedUp) {
  const message_id = freshMessage("simulated");
  const args = ["simulate", "--send", worker.origin, "--message-id", message_id, "--recipients", "100"];
  args.push("--speed-up", String(speedUp), ...(kinds ? ["--only", kinds.join(",")] : []));
  const { status, stdout, stderr } = await clickproof(args, { env: { LINK_KEYS, API_TOKEN } });
  assert.equal(status, 0, stderr);
  const sent = parseLines(stdout);
  assert.match(stderr, new RegExp(`^${sent.length} sent, 0 refused, 0 failed`, "m"));
  // A look at the page of a link that acts stores nothing.
  const stored = sent.filter(({ kind }) => kind === "click" || kind === "open");
  const shown = new Map(sent.map(({ event_id, verified }) => [event_id, verified]));
  const isShown = ({ event_id, verified }) => (shown.get(event_id) ?? verified) === verified;
  const clicks = await clicksWhen(
    worker,
    message_id,
    stored.length,
    (click) => click.final && isShown(click),
  );
  assert.equal(clicks.length, stored.length);
  return { message_id, sent, clicks };
}

// The first minutes of a send as fast as its bursts stay bursts of so many milliseconds, and all of it much faster.
const EARLY =
  "safe_attachments,safelinks_delivery,eop_sweep,eop_single,azure_single,fan_out,headless_single,fast";
describe("a simulated send", { concurrency: true }, () => {
  for (const [title, speedUp, early] of [
    ["the first minutes of a send", 60, EARLY.split(",")],
    ["every kind of visitor, and days of them", 30_000, null],
  ]) {
    test(`live equals batch: ${title}`, async () => {
      const { message_id, sent, clicks } = await play(early, speedUp);

      const played = new Set(sent.map(({ label }) => label.split(":")[1]));
      for (const kind of early ?? (await visitors())) assert.ok(played.has(kind), kind);

      // Where a cookie came back, the click is known by its own id, and shows what it was simulated to show.
      const listed = new Map(clicks.map((click) => [click.event_id, click]));
      const known = sent.filter(({ cookie, kind }) => cookie !== "none" && kind === "click");
      assert.ok(known.length > 20);
      // What was told of a delivery is so of all visits to the copy, and in so small a send visitors share copies.
      for (const { label, delivered_at_ms: _delivered, bounced_at_ms: _bounced, ...record } of known) {
        const click = listed.get(record.event_id);
        assert.ok(click, label);
        // Where headers are known, empty and absent are the same.
        record.user_agent ||= null;
        const shown = Object.fromEntries(Object.keys(record).map((name) => [name, click[name]]));
        assert.deepEqual(shown, record, label);
      }

      for (const name of early ? [] : ["delivered_at_ms", "bounced_at_ms"]) {
        assert.ok(sent.some((record) => record[name]) && clicks.some((click) => click[name]), name);
      }

      // Every field of the verdict but the revision: what was amended has a higher one.
      const batch = await classified(clicks, "--explain");
      assert.deepEqual(clicks.map(findingOf), batch.map(findingOf));
      assert.ok(clicks.every(({ revision, shadow }) => revision >= 1 && shadow.revision === revision));
      const table = await classified(clicks, "--ruleset", "defender");
      const second = clicks.map(({ event_id, shadow }) => findingOf({ event_id, ...shadow }));
      assert.deepEqual(second, table.map(findingOf));

      // One click of each rule is explained as the command line explains it.
      const ofRule = new Map(clicks.map((click, at) => [click.rule, at]));
      assert.ok(ofRule.size >= (early ? 4 : 9), [...ofRule.keys()].join());
      for (const [rule, at] of ofRule) {
        const { explanation } = await explain(worker, message_id, clicks[at].event_id);
        assert.deepEqual(explanation, batch[at].explanation, rule);
      }
    });
  }

  test("brought in as records: at once, judged as the command line judges them, and once", async () => {
    const message_id = freshMessage("brought");
    const load = ["simulate", "--records", worker.origin, "--message-id", message_id, "--recipients", "100"];
    const bring = () => clickproof(load, { env: { API_TOKEN } });
    const first = await bring();
    assert.deepEqual([first.status, first.stdout], [0, ""], first.stderr);
    const [, records] = first.stderr.match(
      /^([\d,]+) records brought in [\d.]+ s: \1 stored, 0 known before, 0 refused$/m,
    );
    const count = Number(records.replace(",", ""));
    const clicks = await worker.clicks(message_id);
    assert.equal(clicks.length, count);
    assert.ok(count > 500 && clicks.every(({ final }) => final), "it returns when all is settled");
    assert.deepEqual(clicks.map(findingOf), (await classified(clicks)).map(findingOf));

    // What it says of the verdicts is what the labels say of them.
    const { stdout } = await clickproof(["simulate", "--message-id", message_id, "--recipients", "100"]);
    const labels = new Map(parseLines(stdout).map(({ event_id, label }) => [event_id, label]));
    const judged = clicks.filter(({ kind }) => kind === "click");
    const side = (people) =>
      judged.filter(({ event_id }) => labels.get(event_id).startsWith("human:") === people);
    const bots = (side) => side.filter(({ is_bot }) => is_bot).length;
    const [people, scanners] = [side(true), side(false)];
    assert.ok(bots(scanners) > 0.95 * scanners.length && bots(people) < 0.01 * people.length);
    const told = `found ${bots(scanners)} of ${scanners.length} clicks by scanners, and flagged ${bots(people)} of ${people.length} by`;
    assert.ok(
      first.stderr.replaceAll(",", "").includes(told.replaceAll(",", "")),
      `${told}: ${first.stderr}`,
    );
    assert.ok(first.stderr.includes(`${worker.origin}/report/${message_id}`));

    const again = await bring();
    assert.match(again.stderr, new RegExp(`: 0 stored, ${records} known before, 0 refused$`, "m"));
    assert.equal((await worker.clicks(message_id)).length, count);
  });

  test("records are not brought without the worker's token, or where none listens", async () => {
    for (const [env, origin, words] of [
      [{ API_TOKEN: "" }, worker.origin, /API_TOKEN is missing from the environment/],
      [{ API_TOKEN: "another" }, worker.origin, /401; is API_TOKEN one of the Worker's tokens\?/],
      [{ API_TOKEN }, "http://127.0.0.1:1", /start the Worker, or name where it listens/],
    ]) {
      const args = ["simulate", "--records", origin, "--only", "library"];
      const { status, stderr } = await clickproof(args, { env });
      assert.equal(status, 2, stderr);
      assert.match(stderr, words);
    }
  });

  test("other keys than the worker's: every click is refused, and the cause is told", async () => {
    const args = ["simulate", "--send", worker.origin, "--only", "library", "--recipients", "250"];
    const { status, stdout, stderr } = await clickproof([...args, "--speed-up", "1e9"], {
      env: { LINK_KEYS: `k1:${Buffer.alloc(32, 8).toString("base64")}` },
    });
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /^0 sent, 3 refused, 0 failed\n {2}refused with 404: 3 \(is LINK_KEYS/m);
  });
});
