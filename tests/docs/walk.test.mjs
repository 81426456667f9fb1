// Each page's commands do what the page says, against a Worker of the test.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { root, which } from "../../src/dev/run.mjs";
import { DESTINATION, chrome, mintCopy, settledClicks, shippedEvents, stateDir } from "../worker/clicks.mjs";
import { API_TOKEN, LINK_KEYS, startWorker, until } from "../worker/harness.mjs";
import { startWalk } from "./walk.mjs";

let worker;
before(async () => (worker = await startWorker({ vars: { SETTLE_MS: 0 } })));
after(() => worker.close());

const env = { API_TOKEN, LINK_KEYS };
const lines = (dir, file) => readFileSync(path.join(dir, file), "utf8").split("\n").filter(Boolean);
const parsed = (dir, file) => lines(dir, file).map((line) => JSON.parse(line));

/** A person's click on a message of that name, settled. */
async function clicked(message_id, at = worker) {
  const { hrefs } = await mintCopy(at, { message_id, urls: [DESTINATION] });
  await at.click(hrefs[0], { headers: chrome() });
  await settledClicks(at, message_id, 1);
}

/** Leaves in a directory the database of an object that holds a click, as object.sqlite. */
async function storedClick(at, persist, dir) {
  const { hrefs } = await mintCopy(at);
  assert.equal((await at.click(hrefs[0])).status, 302);
  const files = () =>
    readdirSync(persist, { recursive: true })
      .filter((name) => name.endsWith(".sqlite"))
      .map((name) => path.join(persist, name));
  const sqlite3 = (file, words) => spawnSync("sqlite3", [file, words], { encoding: "utf8" }).stdout;
  const found = await until(
    () => files().find((file) => Number(sqlite3(file, "SELECT count(*) FROM batches")) > 0),
    { what: "a stored click" },
  );
  sqlite3(found, `.backup '${path.join(dir, "object.sqlite")}'`);
}

test("README: a first campaign ends in a report of what a script followed", async (t) => {
  const walk = startWalk(t, "README.md");
  writeFileSync(path.join(walk.dir, ".dev.vars"), `LINK_KEYS=${LINK_KEYS}\nAPI_TOKEN=${API_TOKEN}\n`);
  const printed = await walk.all(worker.origin);
  assert.match(printed, /302 to https:\/\/example\.com\/more/);
  assert.match(printed, /"title": "My first"/);
  assert.equal(printed.match(/"click_type":"scanner_declared"/g)?.length, 2, printed);
  assert.equal(lines(walk.dir, "links.ndjson").length, 3);
  assert.ok(lines(walk.dir, "verdicts.ndjson").length > 10_000);
});

test("senders.md: links are minted by the API and by the million, and the send is told of", async (t) => {
  const walk = startWalk(t, "static/docs/senders.md", { env });
  const printed = await walk.all(worker.origin);
  assert.match(printed, /"List-Unsubscribe-Post":"List-Unsubscribe=One-Click"/);
  assert.match(printed, /"title":"Spring sale"/);
  const [{ links }] = parsed(walk.dir, "links.ndjson");
  assert.equal((await worker.click(links[0].href)).headers.get("location"), "https://brand.example/spring");
});

test("verdicts.md: a click is explained, records are judged, networks looked up and learned", async (t) => {
  const walk = startWalk(t, "static/docs/verdicts.md", { env });
  await clicked("spring-1");
  const printed = await walk.all(worker.origin);
  assert.match(printed, /no rule holds|person/i);
  assert.match(printed, /"vendor":"microsoft/);
  assert.ok(lines(walk.dir, "learned.txt").length > 3);
});

test("data.md: files are packed, exports are judged and brought in", async (t) => {
  const duckdb = `exec '${process.execPath}' '${path.join(root, "tests/docs/duckdb.mjs")}' "$@"`;
  const walk = startWalk(t, "static/docs/data.md", { env, programs: { duckdb } });
  const persist = stateDir(t);
  const kept = await startWorker({ persist, vars: { SETTLE_MS: 0 } });
  t.after(() => kept.close());
  await clicked("files", kept);
  await shippedEvents(kept, "files", 1);
  for (const [key, { text, uploaded }] of await kept.r2Objects()) {
    const file = path.join(walk.dir, key);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    utimesSync(file, uploaded / 1000, uploaded / 1000);
  }
  if (which("sqlite3")) await storedClick(kept, persist, walk.dir);
  const clicks = "CREATE TABLE my_clicks AS FROM read_json('events/*/*/*.ndjson', union_by_name = true)";
  const made = spawnSync(process.execPath, [path.join(root, "tests/docs/duckdb.mjs"), "clicks.db"], {
    cwd: walk.dir,
    input: clicks,
    encoding: "utf8",
  });
  assert.equal(made.status, 0, made.stderr);
  const at = Math.floor(Date.now() / 1000) - 3600;
  const mail = { email: "ann@brand.example", sg_message_id: "m1", singlesend_id: "spring" };
  const click = { ip: "192.0.2.1", url: DESTINATION, useragent: chrome()["User-Agent"], sg_event_id: "e2" };
  writeFileSync(
    path.join(walk.dir, "events.json.gz"),
    JSON.stringify([
      { ...mail, event: "processed", timestamp: at, sg_event_id: "e1" },
      { ...mail, ...click, event: "click", timestamp: at + 60 },
    ]),
  );
  writeFileSync(
    path.join(walk.dir, "clicks.csv"),
    `Time,Email,Link,Client\n2026-11-22T12:34:56Z,ann@brand.example,${DESTINATION},Mozilla/5.0\n`,
  );
  const printed = await walk.all(worker.origin);
  assert.match(printed, /\{"stored":1,"known":0,"bad":\[\]\}/);
  assert.ok(readdirSync(path.join(walk.dir, "compact")).length > 0);
});

test("developers.md: a rule's effect is counted", async (t) => {
  const walk = startWalk(t, "static/docs/developers.md");
  await walk.all();
  assert.ok(lines(walk.dir, "exported.ndjson").length > 10_000);
});
