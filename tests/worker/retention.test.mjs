// What is old goes, and what is erased is nowhere: neither in the rows of an object nor in the bucket.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { Response } from "miniflare";
import {
  freshMessage,
  listClicks,
  mintCopy,
  objectOf,
  report,
  settledClicks,
  shippedEvents,
  stateDir,
} from "./clicks.mjs";
import { behind, startWorker, until } from "./harness.mjs";
import { write } from "../../src/edge/runtime.mjs";

const SHARDS = 4;

const place = (message_id, rest = "") => `/v1/messages/${encodeURIComponent(message_id)}${rest}`;

async function erase(worker, message_id, recipient_id) {
  const rest = recipient_id === undefined ? "" : `/recipients/${encodeURIComponent(recipient_id)}`;
  const response = await worker.api(place(message_id, rest), { method: "DELETE" });
  assert.equal(response.status, 202);
}

const listed = async (worker) => (await (await worker.api("/v1/messages?limit=200")).json()).messages;

const knows = async (worker, message_id) =>
  (await listed(worker)).some((message) => message.message_id === message_id);

/** The files of a directory that hold a text. */
function filesWith(dir, text) {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  const paths = files.map((file) => path.join(file.parentPath, file.name));
  return paths.filter((file) => readFileSync(file).includes(text));
}

/**
 * Writes the databases anew, without what SQLite has deleted and not yet written over: what is left is what rows hold. The platform
 * offers nothing that would do so.
 */
function rewrite(dir) {
  for (const name of readdirSync(dir, { recursive: true }).filter((name) => name.endsWith(".sqlite"))) {
    const database = new DatabaseSync(path.join(dir, name));
    database.exec("VACUUM");
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    database.close();
  }
}

/**
 * What the objects hold that have any rows: of each its tables by name, each its rows. Read from a copy of the files, for the worker
 * may be running; null where it wrote them meanwhile.
 */
function objectsIn(dir) {
  const copy = mkdtempSync(path.join(os.tmpdir(), "clickproof-"));
  try {
    cpSync(dir, copy, { recursive: true });
    const names = readdirSync(copy, { recursive: true });
    const all = names
      .filter((name) => /MessageObject.*\.sqlite$/.test(name))
      .map((name) => path.join(copy, name));
    return all.map(tablesIn).filter((tables) => Object.keys(tables).length > 0);
  } catch {
    return null;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** The tables of a database that have rows, but for the platform's own. */
function tablesIn(file) {
  const database = new DatabaseSync(file);
  const made = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  const names = made.map(({ name }) => name).filter((name) => !/^(sqlite|_cf)_/.test(name));
  const rows = names.map((name) => [name, database.prepare(`SELECT * FROM ${name}`).all()]);
  database.close();
  return Object.fromEntries(rows.filter(([, some]) => some.length > 0));
}

/** How many words of each shard the pages of the only board hold; null where there is no board, or it cannot be read now. */
function pagesOnBoard(dir) {
  const board = objectsIn(dir)?.find(({ marks = [] }) => marks.some(({ name }) => name === "board"));
  if (!board) return null;
  const pages = Array.from({ length: SHARDS }, () => 0);
  for (const { whose, words } of board.words ?? []) if (whose >= 0) pages[whose] += words.length;
  return pages;
}

/** A recipient of each shard of a message. */
const onePerShard = (word) =>
  Array.from({ length: SHARDS }, (_, shard) => {
    const ids = Array.from({ length: 64 }, (_, n) => `${word}-${n}`);
    return ids.find((id) => objectOf("", id, SHARDS) === (shard === 0 ? "" : `#${shard}`));
  });

/** The bucket's objects that hold a text. */
const objectsWith = async (worker, text) =>
  [...(await worker.r2Objects())].filter(([, object]) => object.text.includes(text));

test("a recipient who is erased is nowhere, and all else is where it was", async (t) => {
  const persist = stateDir(t);
  const worker = await startWorker({ persist, vars: { SETTLE_MS: 0 } });
  t.after(() => worker.close());
  const message_id = freshMessage("spring");
  const people = ["quokka-one", "walrus-two", "tapir-three"];
  const links = new Map();
  for (const recipient_id of people) {
    const urls = [1, 2].map((n) => `https://shop.example/${n}?to=${recipient_id}`);
    links.set(recipient_id, (await mintCopy(worker, { message_id, recipient_id, urls })).hrefs);
  }
  for (const hrefs of links.values()) for (const href of hrefs) await worker.click(href);
  const before = await settledClicks(worker, message_id, 6);
  await shippedEvents(worker, message_id, 6);
  assert.ok((await objectsWith(worker, "quokka-one")).length > 0);

  await erase(worker, message_id, "quokka-one");
  const after = await listClicks(worker, message_id);
  const others = before.filter(({ recipient_id }) => recipient_id !== "quokka-one");
  assert.deepEqual(after, others, "to the letter");
  assert.equal((await report(worker, message_id)).clicks, 4);
  await until(async () => (await objectsWith(worker, "quokka-one")).length === 0, {
    what: "the bucket without",
  });
  const gone = await until(async () =>
    (await worker.r2Events()).map(({ event }) => event).find(({ event }) => event === "erased"),
  );
  assert.equal(gone.message_id, message_id);
  const digest = await crypto.subtle.digest("SHA-256", Buffer.from("quokka-one"));
  assert.equal(gone.recipient_digest, Buffer.from(digest).toString("hex"));
  const shipped = async () =>
    (await worker.r2Events())
      .filter(({ event }) => event.event === "click")
      .map(({ event }) => event.event_id);
  assert.deepEqual((await shipped()).toSorted(), others.map(({ event_id }) => event_id).toSorted());

  // Again, and of somebody and something unknown: the same answer, and nothing made.
  await erase(worker, message_id, "quokka-one");
  await erase(worker, message_id, "nobody");
  await erase(worker, "unknown", "nobody");
  await erase(worker, "unknown");
  assert.equal((await report(worker, "unknown")).known, false);

  // A click that comes later is a new record.
  const [href] = links.get("quokka-one");
  assert.equal((await worker.click(href)).status, 302);
  await settledClicks(worker, message_id, 5);
  await until(async () => (await shipped()).length === 5, { what: "the later click in the bucket" });
  await erase(worker, message_id, "quokka-one");
  await until(async () => (await objectsWith(worker, "quokka-one")).length === 0, {
    what: "the bucket without",
  });
  await until(async () => (await listClicks(worker, message_id)).length === 4);
  await worker.close();
  rewrite(persist);
  assert.deepEqual(filesWith(persist, "quokka-one"), [], "files that hold the id");
  assert.ok(filesWith(persist, "walrus-two").length > 0);
});

test("a message that is erased is nowhere, and a click on its link begins it anew", async (t) => {
  const persist = stateDir(t);
  const worker = await startWorker({ persist, vars: { SETTLE_MS: 0 } });
  t.after(() => worker.close());
  const message_id = freshMessage("autumn");
  const { hrefs } = await mintCopy(worker, { message_id, recipient_id: "walrus-nine" });
  for (let n = 0; n < 3; n++) await worker.click(hrefs[0]);
  await settledClicks(worker, message_id, 3);
  await shippedEvents(worker, message_id, 3);
  assert.ok(await knows(worker, message_id));
  await erase(worker, message_id);
  assert.equal((await report(worker, message_id)).known, false);
  await until(async () => !(await knows(worker, message_id)), { what: "the list without" });
  await until(async () => (await objectsWith(worker, "walrus-nine")).length === 0, {
    what: "the bucket without",
  });
  const told = await until(async () =>
    (await worker.r2Events()).map(({ event }) => event).find(({ event }) => event === "erased"),
  );
  assert.deepEqual([told.message_id, told.recipient_digest], [message_id, null]);

  // It may come while the object is being deleted: it is a new message's, and not lost.
  assert.equal((await worker.click(hrefs[0])).status, 302);
  await settledClicks(worker, message_id, 1);
  await until(async () => (await objectsWith(worker, "walrus-nine")).length === 1, {
    what: "the click in the bucket",
  });
  assert.ok(await knows(worker, message_id));
  await erase(worker, message_id);
  await until(async () => (await objectsWith(worker, "walrus-nine")).length === 0, {
    what: "the bucket without",
  });
  await worker.close();
  rewrite(persist);
  assert.deepEqual(filesWith(persist, "walrus-nine"), [], "files that hold the id");
});

test("after its last click a message goes by itself, its link works on, and what begins anew says so", async (t) => {
  // Ten seconds.
  const worker = await startWorker({ vars: { SETTLE_MS: 0, RETENTION_DAYS: "0.000116" } });
  t.after(() => worker.close());
  assert.equal((await worker.request("/healthz")).status, 200);
  const message_id = freshMessage("winter");
  const sent_at_ms = Date.now() - 60_000;
  const { hrefs } = await mintCopy(worker, { message_id, recipient_id: "tapir-one", sent_at_ms: Date.now() });
  const late = await mintCopy(worker, { message_id, recipient_id: "tapir-one", sent_at_ms });
  await worker.click(hrefs[0]);
  await settledClicks(worker, message_id, 1);
  assert.equal((await report(worker, message_id)).known_from_ms, null);
  assert.ok(await knows(worker, message_id));
  await worker.waitForLog(({ event, object }) => event === "message.expired" && object === message_id);
  assert.equal((await report(worker, message_id)).known, false);
  assert.equal(await knows(worker, message_id), false);
  assert.equal((await shippedEvents(worker, message_id, 1)).length, 1, "the bucket has a rule of its own");

  assert.equal((await worker.click(late.hrefs[0])).status, 302);
  const [click] = await settledClicks(worker, message_id, 1);
  const { known, clicks, known_from_ms } = await report(worker, message_id);
  assert.deepEqual([known, clicks, known_from_ms], [true, 1, click.ts_ms]);
  assert.ok(await knows(worker, message_id));
});

test("a message that goes on keeps what is young, and drops a closed table at a time", async (t) => {
  const persist = stateDir(t);
  // Five seconds, in tables of five eighths of a second.
  const worker = await startWorker({ persist, vars: { SETTLE_MS: 0, RETENTION_DAYS: "0.0000579" } });
  t.after(() => worker.close());
  const message_id = freshMessage("spring");
  const mint = (recipient_id) => mintCopy(worker, { message_id, recipient_id, sent_at_ms: Date.now() });
  const hrefs = await Promise.all([0, 1, 2].map(async (n) => (await mint(`ibex-${n}`)).hrefs[0]));
  let clicks = 0;
  const weeks = () => Object.keys(objectsIn(persist)?.find(({ packs }) => packs) ?? {});
  const closed = () => weeks().filter((name) => /^batches_\d+$/.test(name));
  const click = async () => {
    await worker.click(hrefs[clicks++ % hrefs.length]);
    return (await report(worker, message_id)).known_from_ms;
  };
  // So long until some has been dropped, of which no object has gone.
  const end = async () => (await click()) !== null && closed().length > 1 && closed();
  const some = await until(end, { timeout: 60_000, every: 300, what: "an end of what is kept" });
  const from_ms = (await report(worker, message_id)).known_from_ms;
  assert.ok(from_ms < Date.now() - 5_000, "nothing goes before its time");
  for (const name of some) assert.ok(Number(name.split("_")[1]) >= from_ms, `${name} ends before ${from_ms}`);
  const kept = (await listClicks(worker, message_id)).map(({ ts_ms }) => ts_ms);
  assert.ok(kept.length > 0 && kept.length < clicks, `${kept.length} of ${clicks} are kept`);
  assert.ok(kept.every((ts_ms) => ts_ms >= from_ms));
  const inBucket = async () => {
    const events = (await worker.r2Events()).filter(({ event }) => event.message_id === message_id);
    return new Set(events.map(({ event }) => event.event_id)).size === clicks;
  };
  await until(inBucket, { every: 100, what: "every click in the bucket" });
});

test("a recipient of one of four objects is nowhere, and neither is what their board knew of it", async (t) => {
  const persist = stateDir(t);
  const worker = await startWorker({ persist, vars: { SETTLE_MS: 0 } });
  t.after(() => worker.close());
  const message_id = freshMessage("four");
  const people = onePerShard("quokka");
  for (const recipient_id of people) {
    const urls = [1, 2].map((n) => `https://shop.example/${n}?to=${recipient_id}`);
    const { hrefs } = await mintCopy(worker, { message_id, recipient_id, shards: SHARDS, urls });
    for (const href of hrefs) await worker.click(href);
  }
  const before = await settledClicks(worker, message_id, 2 * SHARDS);
  await shippedEvents(worker, message_id, 2 * SHARDS);
  await until(() => pagesOnBoard(persist)?.every((words) => words > 0), { what: "everybody on the board" });

  const [gone, others] = [people[2], people.toSpliced(2, 1)];
  await erase(worker, message_id, gone);
  const left = before.filter(({ recipient_id }) => recipient_id !== gone);
  assert.deepEqual(await listClicks(worker, message_id), left, "to the letter");
  assert.equal((await report(worker, message_id)).clicks, left.length);
  await until(async () => (await objectsWith(worker, gone)).length === 0, { what: "the bucket without" });
  const digest = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(gone))).toString("hex");
  const events = await until(async () => {
    const all = (await worker.r2Events()).map(({ event }) => event);
    return all.some(({ event }) => event === "erased") && all;
  });
  const erased = events.filter(({ event }) => event === "erased");
  for (const event of erased)
    assert.deepEqual([event.message_id, event.recipient_digest], [message_id, digest]);
  const clicks = events.filter(({ event }) => event === "click");
  assert.deepEqual(
    new Set(clicks.map(({ event_id }) => event_id)),
    new Set(left.map(({ event_id }) => event_id)),
  );
  const pages = await until(
    () => {
      const pages = pagesOnBoard(persist);
      return pages?.[2] === 0 && pages;
    },
    { what: "the board without" },
  );
  assert.ok(
    pages.every((words, shard) => shard === 2 || words > 0),
    pages.join(),
  );

  await worker.close();
  rewrite(persist);
  assert.deepEqual(filesWith(persist, gone), [], "files that hold the id");
  for (const other of others) assert.ok(filesWith(persist, other).length > 0, other);
});

// The built worker, one of whose objects is not reached while the test says so.
const WATCHED = `
  import built, { MessageObject as BuiltObject } from "./index.js";
  export class MessageObject extends BuiltObject {
    constructor(state, env) { super(state, env); this.test = env.TEST; this.name = state.id.name }
    async fetch(request) {
      const body = this.name + new URL(request.url).pathname;
      if (!(await this.test.fetch("http://test/", { method: "POST", body })).ok) throw new Error("no storage");
      return super.fetch(request);
    }
  }
  export default built;
`;

test("a message of four objects is nowhere once all have heard of it, whichever did not at first", async (t) => {
  const persist = stateDir(t);
  const away = new Set();
  const start = async () => {
    const serviceBindings = {
      TEST: async (request) => new Response(null, { status: away.has(await request.text()) ? 500 : 200 }),
    };
    const worker = { ...behind(WATCHED), serviceBindings };
    return startWorker({ persist, vars: { SETTLE_MS: 0 }, worker });
  };
  let worker = await start();
  t.after(() => worker.close());
  const message_id = freshMessage("four");
  const people = onePerShard("walrus");
  const hrefs = [];
  for (const recipient_id of people) {
    const minted = await mintCopy(worker, { message_id, recipient_id, shards: SHARDS });
    hrefs.push(minted.hrefs[0]);
    for (let n = 0; n < 2; n++) await worker.click(minted.hrefs[0]);
  }
  await settledClicks(worker, message_id, 2 * SHARDS);
  await shippedEvents(worker, message_id, 2 * SHARDS);
  await until(() => pagesOnBoard(persist)?.every((words) => words > 0), { what: "everybody on the board" });

  // One does not hear of it. The others lose all that they have; that there is another stays known.
  away.add(`${message_id}#2/forget`);
  const refused = await worker.api(place(message_id), { method: "DELETE" });
  assert.equal(refused.status, 503);
  await until(
    async () => {
      const events = (await worker.r2Events()).map(({ event }) => event);
      const named = new Set(events.map(({ recipient_id }) => recipient_id).filter(Boolean));
      return named.size === 1 && named.has(people[2]);
    },
    { what: "the bucket with one recipient" },
  );
  await worker.close();
  away.clear();
  worker = await start();
  assert.equal((await report(worker, message_id)).clicks, 2);
  await erase(worker, message_id);
  assert.equal((await report(worker, message_id)).known, false);
  await until(async () => (await objectsWith(worker, "walrus")).length === 0, { what: "the bucket without" });
  await until(() => objectsIn(persist)?.length === 0, { what: "every object without rows" }).catch((error) =>
    assert.fail(`${error.message}: ${JSON.stringify(objectsIn(persist))}`),
  );
  assert.ok(
    (await worker.r2Events()).some(
      ({ event }) => event.event === "erased" && event.recipient_digest === null,
    ),
  );
  assert.equal(await knows(worker, message_id), false);

  // A link leads where it led, and its click is a new message's.
  assert.equal((await worker.click(hrefs[3])).status, 302);
  const [click] = await settledClicks(worker, message_id, 1);
  assert.equal(click.recipient_id, people[3]);
  const { clicks, known, known_from_ms } = await report(worker, message_id);
  assert.deepEqual([clicks, known, known_from_ms], [1, true, null]);
  await erase(worker, message_id);
  await until(async () => (await objectsWith(worker, "walrus")).length === 0, { what: "the bucket without" });
  await worker.close();
  rewrite(persist);
  assert.deepEqual(filesWith(persist, "walrus"), [], "files that hold an id");
});

test("four objects and their board go after the last click, and what begins anew says so", async (t) => {
  const persist = stateDir(t);
  // Ten seconds.
  const worker = await startWorker({ persist, vars: { SETTLE_MS: 0, RETENTION_DAYS: "0.000116" } });
  t.after(() => worker.close());
  const message_id = freshMessage("four");
  const people = onePerShard("tapir");
  const sent_at_ms = Date.now() - 60_000;
  const late = await mintCopy(worker, { message_id, recipient_id: people[3], sent_at_ms, shards: SHARDS });
  for (const recipient_id of people) {
    const { hrefs } = await mintCopy(worker, { message_id, recipient_id, shards: SHARDS });
    await worker.click(hrefs[0]);
  }
  await settledClicks(worker, message_id, SHARDS);
  assert.equal((await report(worker, message_id)).known_from_ms, null);
  for (const recipient_id of people) {
    const name = objectOf(message_id, recipient_id, SHARDS);
    await worker.waitForLog(({ event, object }) => event === "message.expired" && object === name);
  }
  await until(() => objectsIn(persist)?.length === 0, { what: "every object without rows" }).catch((error) =>
    assert.fail(`${error.message}: ${JSON.stringify(objectsIn(persist))}`),
  );
  assert.equal((await report(worker, message_id)).known, false);
  assert.equal(await knows(worker, message_id), false);

  assert.equal((await worker.click(late.hrefs[0])).status, 302);
  const [click] = await settledClicks(worker, message_id, 1);
  const { known, clicks, known_from_ms } = await report(worker, message_id);
  assert.deepEqual([known, clicks, known_from_ms], [true, 1, click.ts_ms]);
  assert.ok(await knows(worker, message_id));
  await worker.close();
});

test("of several writes of one object the one that was sent last stays, in whatever order they come", async (t) => {
  const worker = await startWorker();
  t.after(() => worker.close());
  const env = { ARCHIVE: await worker.mf.getR2Bucket("ARCHIVE") };
  const now = Date.now();
  // Seconds apart, and so long that what lies there says by its time alone which is older.
  for (const apart of [1_000, 3_600_000]) {
    const letters = [
      ["quokka and walrus", now - 2 * apart],
      ["walrus", now - apart],
      ["", now],
    ];
    const orders = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
      [2, 2, 0, 0, 1],
    ];
    for (const order of orders) {
      const key = `events/order/${apart}-${order.join("")}.ndjson`;
      for (const at of order)
        await write(env, "ARCHIVE", key, ...letters[at].toSpliced(1, 0, "application/x-ndjson"));
      assert.equal(await (await env.ARCHIVE.get(key)).text(), "", key);
      await write(env, "ARCHIVE", key, "again", "application/x-ndjson", now + 1);
      assert.equal(await (await env.ARCHIVE.get(key)).text(), "again", key);
    }
  }
});
