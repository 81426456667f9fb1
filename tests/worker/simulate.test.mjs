// A simulated send, played against the running worker: what arrives is what was simulated, and what the object settles
// is what the command line says of the same records.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { classified, clickproof, clicksWhen, findingOf, freshMessage, parseLines } from "./clicks.mjs";
import { LINK_KEYS, startWorker } from "./harness.mjs";

let worker;
before(async () => (worker = await startWorker({ vars: { SETTLE_MS: 0 } })));
after(() => worker.close());

/** Plays these kinds; the records as they were sent, and the clicks as the worker lists them, settled. */
async function play(kinds, speedUp) {
  const message_id = freshMessage("simulated");
  const { status, stdout, stderr } = await clickproof([
    ...["simulate", "--send", worker.origin, "--message-id", message_id, "--speed-up", String(speedUp)],
    ...["--recipients", "100", "--only", kinds.join(",")],
  ]);
  assert.equal(status, 0, stderr);
  const sent = parseLines(stdout);
  assert.match(stderr, new RegExp(`^${sent.length} sent, 0 refused, 0 failed`, "m"));
  const clicks = await clicksWhen(worker, message_id, sent.length, (click) => click.final);
  assert.equal(clicks.length, sent.length);
  return { sent, clicks, stderr };
}

// Each of the two runs takes some ten seconds: the first minutes of a send, and its first days much faster.
for (const [title, speedUp, kinds] of [
  [
    "its first minutes",
    60,
    `safe_attachments safelinks_delivery eop_sweep eop_single azure_single fan_out headless_single fast`,
  ],
  [
    "its first days",
    30_000,
    `safelinks_first safelinks_second campaign_burst air_crawl proofpoint barracuda pool_sweep profile_sweep recheck
    threat_intelligence library head prefetch desktop mobile tabs double_click office popular returning gpc own_open`,
  ],
].map(([title, speedUp, kinds]) => [title, speedUp, kinds.split(/\s+/)])) {
  test(`live equals batch: ${title}`, async () => {
    const { sent, clicks, stderr } = await play(kinds, speedUp);

    const names = new Set(sent.map(({ label }) => label.split(":")[1]));
    for (const kind of kinds.filter((kind) => kind !== "own_open")) assert.ok(names.has(kind), kind);
    assert.equal(/opens not sent/.test(stderr), kinds.includes("own_open"));

    // Where a cookie came back, the click is known by its own id, and shows what it was simulated to show.
    const listed = new Map(clicks.map((click) => [click.event_id, click]));
    const known = sent.filter(({ cookie }) => cookie !== "none");
    assert.ok(known.length > 20);
    for (const { label, ...record } of known) {
      const click = listed.get(record.event_id);
      assert.ok(click, label);
      const shown = Object.fromEntries(Object.keys(record).map((name) => [name, click[name]]));
      assert.deepEqual(shown, record, label);
    }

    const batch = await clickproof(["classify"], {
      input: clicks.map((click) => `${JSON.stringify(click)}\n`).join(""),
    });
    assert.equal(batch.status, 0, batch.stderr);
    assert.deepEqual(parseLines(batch.stdout).map(verdictOf), clicks.map(verdictOf));
  });
}

test("other keys than the worker's: every click is refused, and the cause is told", async () => {
  const args = ["simulate", "--send", worker.origin, "--only", "library", "--recipients", "200"];
  const { status, stdout, stderr } = await clickproof([...args, "--speed-up", "1e9"], {
    keys: `k1:${Buffer.alloc(32, 8).toString("base64")}`,
  });
  assert.deepEqual([status, stdout], [1, ""]);
  assert.match(stderr, /^0 sent, 3 refused, 0 failed\n {2}refused with 404: 3 \(is LINK_KEYS/m);
});
