// The runtime is killed ten times while clicks arrive, and started again on the same state: every recorded click is
// settled by alarms alone, and reaches the event store when it is asked to be shipped again.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { r2EventsOf, startWrangler, until } from "./harness.mjs";

const KILLS = 10;
// Clicked in every round. Each round has a message of its own besides, which nothing calls after the kill: its clicks
// can only be settled by the alarm that the crash has left.
const SHARED = ["autumn", "winter"];
const own = (round) => `round-${round}`;
const LINKS = 6;
const DESTINATION = "https://shop.example/offer";
const ROUND_MS = 1_000;
// A click answered so long before the kill has been recorded: that takes milliseconds.
const RECORDED_MS = 400;
// Longer than an alarm, a queue's batch or a retry of either lets wait for itself.
const QUIET_MS = 4_000;

test(`${KILLS} kills lose no recorded click`, async (t) => {
  const stateDir = mkdtempSync(path.join(os.tmpdir(), "clickproof-"));
  let runtime;
  t.after(async () => {
    await runtime?.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });
  const start = async () => {
    runtime = await startWrangler({ stateDir, port: runtime?.port, vars: { SETTLE_MS: "200" } });
  };

  const answered = [];
  for (let round = 0; round < KILLS; round += 1) {
    await start();
    const life = { killed: Infinity };
    const visits = [...SHARED, own(round)].map((message) => visit(runtime, message, round, life));
    await Promise.race([sleep(ROUND_MS), ...visits]);
    life.killed = Date.now();
    const [, ...clicks] = await Promise.all([runtime.kill(), ...visits]);
    const isSafe = ({ at }) => at < life.killed - RECORDED_MS;
    answered.push(...clicks.flat().map((click) => ({ ...click, safe: isSafe(click) })));
  }
  await start();
  // Alarms log what they have done; nobody calls an object meanwhile.
  await quiet(runtime);

  const listed = [];
  for (const message of [...SHARED, ...Array.from({ length: KILLS }, (_, round) => own(round))]) {
    const clicks = await runtime.clicks(message);
    listed.push(...clicks);
    const response = await runtime.api(`/v1/messages/${message}/reship`, { method: "POST" });
    assert.equal(response.status, 202);
    assert.ok((await response.json()).events >= clicks.length);
  }
  const byName = new Map(listed.map((click) => [name(click), click]));
  const lost = answered.filter((click) => click.safe && !byName.has(name(click)));
  assert.deepEqual(lost, []);
  assert.equal(byName.size, listed.length, "no click is listed twice");
  assert.ok(listed.length > KILLS * LINKS * (SHARED.length + 1), `only ${listed.length} clicks`);
  t.diagnostic(`${answered.length} clicks answered, ${listed.length} recorded`);

  const open = listed.filter(({ final, revision }) => !final || revision < 1);
  assert.deepEqual(open, []);
  // A whole sweep is one, whoever made it, though a crash came into its middle or its evidence was settled before.
  const copies = new Map();
  for (const click of listed) copies.set(copyOf(click), [...(copies.get(copyOf(click)) ?? []), click]);
  const sweeps = [...copies.values()].filter((clicks) => clicks.length === LINKS);
  assert.ok(sweeps.length > 0);
  for (const click of sweeps.flat()) {
    assert.equal(
      click.click_type,
      isScanned(click.recipient_id) ? "scanner_safe_attachments" : "scanner_sweep",
    );
  }

  await quiet(runtime);
  await runtime.stop();
  runtime = null;
  const stored = new Map();
  for (const { event } of await r2EventsOf(stateDir)) {
    const key = `${event.event_id} ${event.revision}`;
    assert.deepEqual(event, stored.get(key) ?? event, "what is stored twice is the same");
    stored.set(key, event);
  }
  for (const click of listed) {
    for (let revision = 1; revision <= click.revision; revision += 1) {
      const key = `${click.event_id} ${revision}`;
      const event = stored.get(key);
      assert.ok(event, `${key} is not stored`);
      if (revision === click.revision) assert.deepEqual(event, { event: "click", ...click });
      stored.delete(key);
    }
  }
  assert.deepEqual([...stored.values()], [], "nothing is stored that was not recorded");
});

/** Opens all links of one recipient's copy after another's until the runtime dies; returns what was answered. */
async function visit(runtime, message_id, round, life) {
  const answered = [];
  for (let copy = 0; ; copy += 1) {
    const recipient_id = `r${round}-${copy}`;
    const ip = isScanned(recipient_id) ? "40.92.1.1" : "192.0.2.1";
    try {
      const wanted = Array.from({ length: LINKS }, (_, link) => ({ link_id: `l${link}`, url: DESTINATION }));
      const sent = { message_id, recipient_id, sent_at_ms: Date.now(), links: wanted };
      for (const { link_id, href } of (await runtime.mint(sent)).links) {
        const { status } = await runtime.click(href, { ip });
        assert.equal(status, 302);
        answered.push({ message_id, recipient_id, link_id, at: Date.now() });
      }
    } catch (error) {
      // What is under way when the kill comes fails, and nothing else.
      if (Date.now() < life.killed || error instanceof assert.AssertionError) throw error;
      return answered;
    }
  }
}

/** Resolves when the runtime has settled, shipped and stored nothing for a while. */
async function quiet({ logs, output }) {
  const seen = () => logs.length + output.length;
  let [count, since] = [seen(), Date.now()];
  await until(
    () => {
      if (seen() !== count) [count, since] = [seen(), Date.now()];
      return Date.now() - since > QUIET_MS;
    },
    { timeout: 30_000, every: 100, what: "quiet" },
  );
}

/** Every second copy is opened from Microsoft's filter. */
const isScanned = (recipient_id) => Number(recipient_id.split("-")[1]) % 2 === 0;
const copyOf = ({ message_id, recipient_id }) => `${message_id}/${recipient_id}`;
const name = (click) => `${copyOf(click)}/${click.link_id}`;
