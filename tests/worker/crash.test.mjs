// The runtime is killed twenty times (`KILLS` says how often) while clicks arrive by hundreds a second, and started again on the same state. Its queues
// and its bucket outlive it, as the platform's do. Every click whose call was acknowledged is settled by alarms alone and
// shipped; every click that was answered stands in the log.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { acknowledged, telling } from "./acknowledged.mjs";
import {
  FINDING,
  asListed,
  classified,
  clicksWhen,
  findingOf,
  mintCopy,
  settledClicks,
  stateDir,
} from "./clicks.mjs";
import { client, startWrangler, until } from "./harness.mjs";
import { Connection, get, status } from "./keepalive.mjs";
import { startPlatform } from "./platform.mjs";
import { TEMP, clickproof, startWorkerd } from "./workerd.mjs";

const KILLS = Number(process.env.KILLS ?? 20);
// Clicked in every life. Each life has a message of its own besides, which nothing calls until the end: its clicks can only be
// settled by the alarm that the crash has left.
const SHARED = "autumn";
const own = (life) => `life-${life}`;
const SHARDS = 4;
/** Of the lives' own messages every other has one object. */
const shardsOf = (message_id) => (/^life-\d*[13579]$/.test(message_id) ? 1 : SHARDS);
const LINKS = 6;
const DESTINATION = "https://shop.example/offer";
const VISITORS = 16;
// Between two clicks of a visitor.
const PAUSE_MS = 20;
// A life ends after so many answers, each life's later than the one's before, and of twenty the first is as early again: arrivals that
// wait together are stored after a second or by 256, and kills come before, in between and behind.
const answersOf = (life) => 500 + 60 * (life % 20);
// Settled two seconds later, in the lives that follow.
const SETTLE_MS = 200;
const BUCKET = "clickproof-events";
// What the log says of a runtime to which nothing happens but its end.
const ROUTINE = [
  "click.received",
  "click.spilled",
  "message.settled",
  "events.written",
  "test.acknowledged",
  "test.exchanged",
];

// A module before the worker's own, whose boards log that they have answered.
const BOARDS = `
  import built, { MessageObject as BuiltObject } from "./telling.js";
  export class MessageObject extends BuiltObject {
    constructor(state, env) { super(state, env); this.board = state.id.name }
    async fetch(request) {
      const isExchange = new URL(request.url).pathname === "/exchange";
      const answer = await super.fetch(request);
      if (isExchange && answer.ok) console.log(JSON.stringify({ event: "test.exchanged", board: this.board }));
      return answer;
    }
  }
  export default built;
`;

function withBoards(worker) {
  return {
    ...worker,
    modules: `(name = "boards.js", esModule = ${JSON.stringify(BOARDS)}),${worker.modules}`,
  };
}

test(`${KILLS} kills lose no acknowledged click, and none that the log does not have`, async (t) => {
  const worker = withBoards(telling(clickproof({ vars: { SETTLE_MS } })));
  const platform = await startPlatform(worker.platform);
  const logs = [];
  let server;
  t.after(() => server?.close());
  t.after(() => platform.close());
  const state = stateDir(t, TEMP);
  const start = async () => {
    server = await startWorkerd(worker, { platform, state, logs: (line) => logs.push(...parsed(line)) });
    return client(server.origin);
  };

  const answered = [];
  const livesWithoutAnswer = [];
  for (let life = 0; life < KILLS; life += 1) {
    const runtime = await start();
    const began = logs.length;
    const minted = await Promise.all(
      Array.from({ length: copiesOf(life) }, (_, n) => mint(runtime, life, n)),
    );
    const now = { port: server.port, copies: minted.values(), answered: [], killed: false };
    const visits = Array.from({ length: VISITORS }, () => visit(now));
    const enough = until(() => now.answered.length >= answersOf(life), {
      every: 1,
      what: "a life's answers",
    });
    await Promise.race([enough, ...visits.map((ended) => ended.then(() => enough))]);
    now.killed = true;
    await Promise.all([server.close(), ...visits]);
    answered.push(...now.answered);
    if (logs.slice(began).flatMap(acknowledged).length === 0) livesWithoutAnswer.push(life);
  }
  assert.deepEqual(livesWithoutAnswer, [], "each life acknowledged something");
  const safe = new Set(logs.flatMap(acknowledged).map(({ event_id }) => event_id));
  const received = new Map(
    logs.filter(({ event }) => event === "click.received").map((line) => [line.event_id, line]),
  );
  const named = new Set([...received.values()].map(name));
  t.diagnostic(`${answered.length} clicks answered, ${received.size} logged, ${safe.size} acknowledged`);
  const untold = answered.filter((click) => !named.has(click));
  assert.deepEqual(untold, [], "every answered click stands in the log");
  assert.ok(safe.size < received.size, "kills found clicks that were not acknowledged");

  // Nobody calls an object meanwhile: alarms alone settle and ship what is left.
  const runtime = await start();
  const { objects } = platform.bucket(BUCKET);
  const events = () =>
    [...objects.values()].flatMap((bytes) => String(bytes).split("\n").filter(Boolean).flatMap(parsed));
  const missing = () => {
    const stored = new Set(
      events()
        .filter(({ revision }) => revision === 1)
        .map(({ event_id }) => event_id),
    );
    return [...safe].filter((id) => !stored.has(id));
  };
  await until(() => missing().length === 0, {
    every: 250,
    timeout: 20_000,
    what: "the last acknowledged click in the bucket",
  }).catch((error) =>
    assert.fail(`${error.message}: ${missing().length} are missing, ${missing()[0]} is one`),
  );

  const messages = [SHARED, ...Array.from({ length: KILLS }, (_, life) => own(life))];
  const key = ({ event_id, revision }) => `${event_id} ${revision}`;
  const revisions = (click) =>
    Array.from({ length: click.revision }, (_, before) => key({ ...click, revision: before + 1 }));
  // What is not due yet settles, and may amend others.
  let unlike = [];
  const listed = await until(
    async () => {
      const clicks = (await Promise.all(messages.map((message) => runtime.clicks(message)))).flat();
      if (!clicks.every(({ final }) => final)) return false;
      // What one object knows too late of another's clicks is amended.
      unlike = await judgedOtherwise(clicks);
      const stored = new Set(events().map(key));
      return (
        unlike.length === 0 &&
        clicks.every((click) => revisions(click).every((each) => stored.has(each))) &&
        clicks
      );
    },
    { every: 1_000, what: "every revision in the bucket" },
  ).catch((error) =>
    assert.fail(
      `${error.message}: ${unlike.length} clicks are judged otherwise, ${JSON.stringify(unlike[0])}`,
    ),
  );
  const ids = new Set(listed.map(({ event_id }) => event_id));
  assert.equal(ids.size, listed.length, "no click is listed twice");
  assert.deepEqual(
    [...safe].filter((id) => !ids.has(id)),
    [],
  );
  assert.ok(listed.some(({ message_id }) => message_id !== SHARED));
  const amended = listed.filter(({ revision }) => revision > 1).length;
  t.diagnostic(`${listed.length} clicks recorded, ${amended} of them amended`);
  // The boards have answered, that of the clicks of all lives and those that nobody called.
  const exchanges = logs.filter(({ event }) => event === "test.exchanged");
  const boards = new Set(exchanges.map(({ board }) => board));
  t.diagnostic(`${exchanges.length} exchanges with ${boards.size} boards`);
  const shared = messages.filter((message) => shardsOf(message) > 1);
  assert.deepEqual([...boards].toSorted(), shared.map((message) => `${message}#board`).toSorted());
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

  const stored = new Map();
  for (const event of events()) {
    assert.deepEqual(event, stored.get(key(event)) ?? event, "what is stored twice is the same");
    stored.set(key(event), event);
  }
  assert.deepEqual(
    [...stored.keys()].toSorted(),
    listed.flatMap(revisions).toSorted(),
    "what was recorded, and nothing else",
  );
  for (const click of listed) assert.deepEqual(asListed(stored.get(key(click))), click);
  assert.equal(platform.bucket(BUCKET).changes, 0, "what is written again is the same");
  assert.deepEqual(
    listed.filter(({ event_id }) => !received.has(event_id)),
    [],
  );
  assert.deepEqual(
    logs.filter(({ event }) => !ROUTINE.includes(event)),
    [],
  );
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

/** The JSON of a line; nothing where there is none, or where the kill has cut it. */
function parsed(line) {
  if (!line.startsWith("{")) return [];
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}

/** So many copies that none is clicked twice: those of a life's answers, one for each visitor, and a few. */
const copiesOf = (life) => Math.ceil(answersOf(life) / LINKS) + 3 * VISITORS;

/** One recipient's copy of one of the messages, with the paths of its links. */
async function mint(runtime, life, copy) {
  const message_id = copy % 2 === 0 ? SHARED : own(life);
  const recipient_id = `r${life}-${copy}`;
  const links = Array.from({ length: LINKS }, (_, link) => ({ link_id: `l${link}`, url: DESTINATION }));
  const body = { message_id, recipient_id, sent_at_ms: Date.now(), shards: shardsOf(message_id), links };
  const minted = await runtime.mint(body);
  return minted.links.map(({ href }, link) => {
    const path = new URL(href).pathname;
    return { message_id, recipient_id, link_id: links[link].link_id, path };
  });
}

/** Opens all links of one copy after another's until the runtime dies. */
async function visit(life) {
  const connection = new Connection(life.port);
  try {
    for (const copy of life.copies) {
      for (const link of copy) {
        const ip = isScanned(link.recipient_id) ? "40.92.1.1" : "192.0.2.1";
        const head = await connection.send(get(link.path, { "CF-Connecting-IP": ip }));
        assert.equal(status(head), 302);
        life.answered.push(name(link));
        await sleep(PAUSE_MS);
      }
    }
    assert.fail("more copies are needed");
  } catch (error) {
    // What is under way when the kill comes fails, and nothing else.
    if (!life.killed || error instanceof assert.AssertionError) throw error;
  } finally {
    connection.close();
  }
}

/** The verdicts of clicks that are not what the command line says of all of them together, each with that. */
async function judgedOtherwise(clicks) {
  const finding = (click) => FINDING.map((field) => click[field]);
  const all = new Map((await classified(clicks)).map((verdict) => [verdict.event_id, verdict]));
  const pairs = clicks.map((click) => [findingOf(click), all.get(click.event_id)]);
  return pairs.filter(([ours, theirs]) => !isDeepStrictEqual(finding(ours), finding(theirs)));
}

/** Half of each message's copies are opened from Microsoft's filter. */
const isScanned = (recipient_id) => Number(recipient_id.split("-")[1]) % 4 < 2;
const copyOf = ({ message_id, recipient_id }) => `${message_id}/${recipient_id}`;
const name = (click) => `${copyOf(click)}/${click.link_id}`;
