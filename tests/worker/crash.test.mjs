// The runtime is killed twenty times while clicks arrive by hundreds a second, and started again on the same state: every recorded click is
// settled by alarms alone, and reaches the event store when it is asked to be shipped again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { clicksWhen, mintCopy, settledClicks, stateDir } from "./clicks.mjs";
import { startWorker, startWrangler, until } from "./harness.mjs";

const KILLS = 20;
// Clicked in every round. Each round has a message of its own besides, which nothing calls until the end: its clicks
// can only be settled by the alarm that the crash has left.
const SHARED = ["autumn", "winter"];
const own = (round) => `round-${round}`;
const LINKS = 6;
const DESTINATION = "https://shop.example/offer";
// How long a round goes on at least: clicks settle two seconds later, in the lives that follow.
const ROUND_MS = 700;
// So many requests in a row are answered, so far apart, and nothing else happens: then nothing is left to be done.
const QUIET_PROBES = 90;
const PROBE_MS = 100;

test(`${KILLS} kills lose no recorded click`, async (t) => {
  const persist = stateDir(t);
  let runtime;
  t.after(() => runtime?.close());
  const start = async () => (runtime = await startWorker({ persist, vars: { SETTLE_MS: 200 } }));

  let answered = 0;
  const confirmed = new Set();
  for (let round = 0; round < KILLS; round += 1) {
    await start();
    const life = { killed: false, copies: new Map() };
    const visits = [...SHARED, own(round)].map((message) => visit(runtime, message, round, life));
    const some = until(() => life.copies.size === visits.length, { what: "a copy of each message" });
    await Promise.race([Promise.all([sleep(ROUND_MS), some]), ...visits]);
    // What the API lists is recorded, and the visits go on while it does.
    for (const message of SHARED) {
      const recorded = (click) => click.recipient_id.startsWith(`r${round}-`);
      const listed = until(
        async () => {
          const clicks = await runtime.clicks(message);
          return clicks.filter(recorded).length >= LINKS && clicks;
        },
        { what: `the round's clicks on ${message}` },
      );
      for (const click of await Promise.race([listed, ...visits])) confirmed.add(name(click));
    }
    life.killed = true;
    // Kill -9 on workerd, as every close is.
    const [, ...counts] = await Promise.all([runtime.close(), ...visits]);
    answered += counts.reduce((sum, count) => sum + count, 0);
  }
  await start();
  const events = async () => (await runtime.r2Events()).map(({ event }) => event);
  // Nobody calls an object meanwhile: alarms alone settle what is left. What they gave to the queue that a kill found in the
  // runtime's memory is gone, as it is nowhere else; that is asked for again below.
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
  const lost = [...confirmed].filter((click) => !byName.has(click));
  assert.deepEqual(lost, []);
  assert.equal(byName.size, listed.length, "no click is listed twice");
  assert.ok(listed.some(({ message_id }) => !SHARED.includes(message_id)));
  t.diagnostic(
    `${answered} clicks answered, ${listed.length} recorded, ${confirmed.size} seen before a kill`,
  );

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

  const key = ({ event_id, revision }) => `${event_id} ${revision}`;
  const expected = listed.flatMap((click) =>
    Array.from({ length: click.revision }, (_, before) => key({ ...click, revision: before + 1 })),
  );
  const stored = new Map();
  await until(
    async () => {
      for (const event of await events()) {
        assert.deepEqual(event, stored.get(key(event)) ?? event, "what is stored twice is the same");
        stored.set(key(event), event);
      }
      return stored.size >= expected.length;
    },
    { every: 200, what: "every revision in the store" },
  );
  assert.deepEqual([...stored.keys()].toSorted(), expected.toSorted(), "what was recorded, and nothing else");
  for (const click of listed) assert.deepEqual(stored.get(key(click)), { event: "click", ...click });
});

test("`wrangler dev`, killed with all its processes, goes on where it was", async (t) => {
  const state = stateDir(t);
  const first = await startWrangler({ stateDir: state, vars: { SETTLE_MS: "0" } });
  const { message_id, hrefs } = await mintCopy(first);
  assert.equal((await first.click(hrefs[0])).status, 302);
  const [{ event_id }] = await clicksWhen(first, message_id, 1);
  await first.kill();

  const second = await startWrangler({ stateDir: state, port: first.port, vars: { SETTLE_MS: "0" } });
  t.after(() => second.stop());
  const [click] = await settledClicks(second, message_id, 1);
  assert.deepEqual([click.event_id, click.revision], [event_id, 1]);
});

/** Opens all links of one recipient's copy after another's until the runtime dies; returns how many were answered. */
async function visit(runtime, message_id, round, life) {
  let answered = 0;
  for (let copy = 0; ; copy += 1) {
    const recipient_id = `r${round}-${copy}`;
    const ip = isScanned(recipient_id) ? "40.92.1.1" : "192.0.2.1";
    try {
      const wanted = Array.from({ length: LINKS }, (_, link) => ({ link_id: `l${link}`, url: DESTINATION }));
      const sent = { message_id, recipient_id, sent_at_ms: Date.now(), links: wanted };
      for (const { href } of (await runtime.mint(sent)).links) {
        const { status } = await runtime.click(href, { ip });
        assert.equal(status, 302);
        answered += 1;
      }
      life.copies.set(message_id, copy);
    } catch (error) {
      // What is under way when the kill comes fails, and nothing else.
      if (!life.killed || error instanceof assert.AssertionError) throw error;
      return answered;
    }
  }
}

/** Resolves when the runtime, which answers all the while, has logged nothing for so many requests. */
async function quiet({ logs, request }) {
  for (let [probes, seen] = [0, logs.length]; probes < QUIET_PROBES; probes += 1) {
    await sleep(PROBE_MS);
    await request("/healthz");
    if (logs.length !== seen) [probes, seen] = [0, logs.length];
  }
}

/** Every second copy is opened from Microsoft's filter. */
const isScanned = (recipient_id) => Number(recipient_id.split("-")[1]) % 2 === 0;
const copyOf = ({ message_id, recipient_id }) => `${message_id}/${recipient_id}`;
const name = (click) => `${copyOf(click)}/${click.link_id}`;
