// What crosses recipients, over four objects of one message: the verdicts are those of all clicks together, whether the board that they
// exchange it through answers or not.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Response } from "miniflare";
import {
  MICROSOFT,
  chrome,
  clickAndRecord,
  clickproof,
  freshMessage,
  listClicks,
  recordIn,
} from "./clicks.mjs";
import { behind, startWorker, until } from "./harness.mjs";

const SHARDS = 4;
const COPIES = 48;
const HOUR_MS = 3_600_000;

// The built worker, whose boards do not answer while the test says so, or lose all that they have.
const WATCHED = `
  import built, { MessageObject as BuiltObject } from "./index.js";
  export class MessageObject extends BuiltObject {
    constructor(state, env) {
      super(state, env);
      this.lose = () => state.storage.deleteAll().then(() => state.abort("lost"));
      this.test = env.TEST;
      this.isBoard = state.id.name.endsWith("#board");
    }
    async fetch(request) {
      const { status } = this.isBoard ? await this.test.fetch("http://test/") : { status: 200 };
      if (status === 410) await this.lose();
      if (status !== 200) throw new Error("no board");
      return super.fetch(request);
    }
  }
  export default built;
`;

let isAway = false;
let isToLose = false;
let asked = 0;
const started = [];
async function start(SETTLE_MS) {
  const worker = await startWorker({
    vars: { SETTLE_MS, CAMPAIGN_RECIPIENTS: 8, SHADOW_RULESET: "defender" },
    worker: {
      ...behind(WATCHED),
      serviceBindings: {
        TEST() {
          asked += 1;
          const status = isAway ? 500 : isToLose ? 410 : 200;
          isToLose = false;
          return new Response(null, { status });
        },
      },
    },
  });
  started.push(worker);
  return worker;
}
let worker;
before(async () => {
  worker = await start(0);
});
after(() => Promise.all(started.map((one) => one.close())));

/** A third each: Defender's campaign pass over everybody's copies, one machine that goes through them, people. */
const visitor = (n) =>
  [
    { ...MICROSOFT, ip: `40.92.${n}.1` },
    { ip: "203.0.113.77", headers: { "User-Agent": chrome()["User-Agent"] } },
    { ip: `81.2.${n}.1`, country: "IE", headers: chrome() },
  ][n % 3];

/** Clicks all copies of a message, as fast as that goes. */
async function click(message_id, worker) {
  const body = { message_id, sent_at_ms: Date.now() - HOUR_MS, shards: SHARDS };
  const links = [{ link_id: "l", url: "https://shop.example/tea" }];
  const mint = (n) => worker.mint({ ...body, recipient_id: `r${n}`, links });
  const minted = await Promise.all(Array.from({ length: COPIES }, (_, n) => mint(n)));
  const clicks = minted.map(({ links: [{ href }] }, n) => clickAndRecord(worker, href, visitor(n)));
  return (await Promise.all(clicks)).map(({ record }) => recordIn(record));
}

const FIELDS = ["event_id", "click_type", "rule", "confidence", "vendor", "reasons", "paired_with"];
const said = (verdict, event_id) => FIELDS.map((field) => (field === "event_id" ? event_id : verdict[field]));

/** What the command line says of all clicks together, by event. */
async function classified(records, ruleset) {
  const input = records.map((record) => `${JSON.stringify(record)}\n`).join("");
  const args = ["classify", "--ruleset", ruleset, "--campaign-recipients", "8"];
  const { status, stdout, stderr } = await clickproof(args, { input });
  assert.equal(status, 0, stderr);
  const verdicts = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  return verdicts.map((verdict) => said(verdict, verdict.event_id)).sort();
}

async function assertExact(message_id, records, worker) {
  const [full, defender] = [await classified(records, "full"), await classified(records, "defender")];
  const rules = new Set(full.map(([, , rule]) => rule));
  assert.ok(rules.has("campaign_view") && rules.has("fanout"), [...rules].join());
  let listed;
  const seen = (read) => listed.map((line) => said(read(line), line.event_id)).sort();
  await until(async () => {
    listed = await listClicks(worker, message_id);
    const isFinal = listed.length === records.length && listed.every((line) => line.final);
    return isFinal && JSON.stringify(seen((line) => line)) === JSON.stringify(full);
  }).catch(() =>
    assert.deepEqual(
      seen((line) => line),
      full,
    ),
  );
  assert.deepEqual(
    seen((line) => line.shadow),
    defender,
  );
}

test("four objects know together what thirty, or here eight, recipients do", async () => {
  const message_id = freshMessage("together");
  const before = asked;
  await assertExact(message_id, await click(message_id, worker), worker);
  assert.ok(asked > before, "they asked the board");
});

test("without a board the clicks settle by what each object knows, and are amended once it is back", async () => {
  const message_id = freshMessage("alone");
  isAway = true;
  try {
    const records = await click(message_id, worker);
    await until(async () => {
      const listed = await listClicks(worker, message_id);
      return listed.length === records.length && listed.every((line) => line.final);
    });
    const listed = await listClicks(worker, message_id);
    assert.ok(
      listed.some((line) => line.ip.startsWith("40.92.") && line.rule !== "campaign_view"),
      "alone",
    );
    isAway = false;
    await assertExact(message_id, records, worker);
    assert.ok(
      (await listClicks(worker, message_id)).some((line) => line.revision > 1),
      "amended",
    );
  } finally {
    isAway = false;
  }
});

test("a board that has lost its rows is made anew, and no verdict changes for it", async () => {
  const worker = await start(6_000);
  const message_id = freshMessage("lost");
  const records = await click(message_id, worker);
  await assertExact(message_id, records, worker);
  const revisions = async () =>
    new Map((await listClicks(worker, message_id)).map(({ event_id, revision }) => [event_id, revision]));
  const before = await revisions();
  isToLose = true;
  const late = await click(message_id, worker);
  await until(() => !isToLose, { what: "the board's end" });
  await assertExact(message_id, [...records, ...late], worker);
  const now = await revisions();
  assert.deepEqual(
    records.map(({ event_id }) => now.get(event_id)),
    records.map(({ event_id }) => before.get(event_id)),
  );
});
