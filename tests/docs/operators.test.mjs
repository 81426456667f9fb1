// The operators' page, walked from a bare account to the first judged click and on: a stand-in takes the account's part, a Worker with
// the very secrets that were put into it the deployed one's.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { root } from "../../src/dev/run.mjs";
import { mintCopy, settledClicks, shippedEvents } from "../worker/clicks.mjs";
import { WELL, startWorker } from "../worker/harness.mjs";
import { startAccount } from "./account.mjs";
import { settingsOf } from "./pages.mjs";
import { startWalk } from "./walk.mjs";

const secretsIn = (file) =>
  Object.fromEntries(
    readFileSync(file, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  );

/** What a checkout has of what wrangler reads. It is built already. */
function checkOut(dir) {
  for (const name of ["build", "static"]) symlinkSync(path.join(root, name), path.join(dir, name));
  const config = readFileSync(path.join(root, "wrangler.toml"), "utf8");
  const built = config.replace(/^command = .*/m, 'command = "true"');
  assert.notEqual(built, config);
  writeFileSync(path.join(dir, "wrangler.toml"), built);
}

/** A line of the log as `wrangler tail` wraps it, and as Logpush does. */
function wrapped(lines) {
  const [first, ...others] = lines.map((line) => JSON.stringify(line));
  const noise = JSON.stringify({ event: "events.written", key: "events/x" });
  return [
    JSON.stringify(
      { outcome: "ok", logs: [{ level: "error", message: [first, 5] }], exceptions: [] },
      null,
      2,
    ),
    JSON.stringify({
      Outcome: "ok",
      Logs: [noise, ...others].map((text) => ({ Level: "error", Message: [text] })),
    }),
  ].join("\n");
}

test("operators.md leads from a bare account to a judged click, through rotation, restoring and rolling back", async (t) => {
  const { env, account } = await startAccount(t);
  const walk = startWalk(t, "static/docs/operators.md", {
    env,
    skips: ["network", "long"],
    programs: {
      git: 'if [ "$1" = describe ]; then echo v0; fi',
      rclone: `[ "$1 $2" = "copy r2:clickproof-events/events" ] || exit 99; mkdir -p "$3" && cp -R "$BUCKET/." "$3"`,
      // Verdicts settle within seconds here.
      sleep: "exec /bin/sleep 9",
    },
  });
  checkOut(walk.dir);
  const said = [];
  const step = async (has, origin) => {
    const upTo = walk.blocks.findIndex(({ text }) => text.includes(has));
    assert.ok(upTo >= 0, `the page has no block with ${has}`);
    for (const block of walk.blocks.splice(0, upTo + 1)) said.push(await walk.run(block, origin));
    return said.at(-1);
  };

  // Secrets are generated, and kept: what is there is not made anew.
  const file = path.join(walk.dir, ".secrets.production");
  const [first] = walk.blocks;
  await step(".secrets.$stage");
  const secrets = secretsIn(file);
  await walk.run(first);
  assert.deepEqual(secretsIn(file), secrets);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.notEqual(secrets.LINK_KEYS, secretsIn(path.join(walk.dir, ".secrets.staging")).LINK_KEYS);

  // Wrangler would make what is missing by itself, in the place and with the terms that it likes.
  await step("r2 bucket create");
  const wanted = ["", "staging"].map((env) => settingsOf(env));
  const named = wanted.flatMap(({ queues }) => queues.consumers.map(({ queue }) => queue));
  assert.deepEqual(account.queues.toSorted(), named.toSorted());
  const buckets = wanted.flatMap(({ r2_buckets }) => r2_buckets.map(({ bucket_name }) => bucket_name));
  assert.deepEqual(account.buckets.toSorted(), buckets.toSorted());

  await step("--secrets-file .secrets.production");
  assert.deepEqual(account.domains, {
    "click-staging.brand.example": "clickproof-staging",
    "click.brand.example": "clickproof",
  });
  assert.deepEqual(account.workers.clickproof.secrets, secrets);
  const consumed = account.consumers.map(([queue]) => queue);
  assert.deepEqual(consumed.toSorted(), named.toSorted());
  assert.deepEqual([account.queues.length, account.buckets.length], [named.length, buckets.length]);

  // The Worker that was deployed.
  const worker = await startWorker({ vars: { ...account.workers.clickproof.secrets, SETTLE_MS: 0 } });
  t.after(() => worker.close());
  const clicked = await step("messages/hello/clicks", worker.origin);
  assert.match(clicked, new RegExp(`^${WELL}\n302 to https://brand.example/\n`));
  assert.match(
    clicked,
    /"click_type":"scanner_declared","rule":"declared","confidence":"certain","final":true/,
  );

  // A new key signs, the old one still verifies; withdrawn, it does not.
  const { hrefs } = await mintCopy(worker);
  await step("k$(date +%Y%m%d)");
  await step("secret bulk");
  const rotated = account.workers.clickproof.secrets.LINK_KEYS;
  assert.match(rotated, /^k\d{8}:[^,]+,k1:/);
  assert.ok(rotated.endsWith(secrets.LINK_KEYS));
  await step("grep -v '^k1:'");
  const { LINK_KEYS: without } = secretsIn(file);
  assert.equal(`${without},${secrets.LINK_KEYS}`, rotated);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  for (const [LINK_KEYS, status] of [
    [rotated, 302],
    [without, 404],
  ]) {
    const other = await startWorker({ vars: { ...secrets, LINK_KEYS } });
    t.after(() => other.close());
    assert.equal((await other.click(hrefs[0])).status, status);
  }

  // A message is restored into a Worker that knows nothing of it.
  const {
    hrefs: [link],
  } = await mintCopy(worker, { message_id: "spring-1" });
  await worker.click(link);
  const [{ event_id }] = await settledClicks(worker, "spring-1", 1);
  await shippedEvents(worker, "spring-1", 1);
  const kept = path.join(path.dirname(walk.dir), "bucket");
  for (const [key, { text }] of await worker.r2Objects()) {
    const copy = path.join(kept, key.replace(/^events\//, ""));
    mkdirSync(path.dirname(copy), { recursive: true });
    writeFileSync(copy, text);
  }
  const fresh = await startWorker({ vars: { ...secrets, SETTLE_MS: 0 } });
  t.after(() => fresh.close());
  await walk.run({ line: 0, text: `export BUCKET='${kept}' CLICK=${fresh.origin}` });
  const restored = await step("backup/events | jq", fresh.origin);
  assert.match(restored, /"stored":1,"known":0,"bad":\[\]/);
  const [again] = await settledClicks(fresh, "spring-1", 1);
  assert.equal(again.event_id, event_id);

  // What the bucket has goes when the objects' does.
  await step("lifecycle add");
  const [rule] = account.rules["clickproof-events"];
  assert.equal(rule.conditions.prefix, "events/");
  assert.deepEqual(rule.deleteObjectsTransition.condition, { type: "Age", maxAge: 90 * 86_400 });

  // Upgraded, rolled back; what was lost meanwhile is brought from the log.
  await step("rollback");
  assert.equal(
    account.workers.clickproof.deployments[0].versions[0].version_id,
    "00000000-0000-4000-8000-000000000001",
  );
  const record = {
    ...again,
    message_id: "lost",
    event_id: event_id.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")),
  };
  const lost = [record, { ...record, event_id: event_id.replace(/..$/, "5a"), recipient_id: "r2" }];
  const unrecorded = lost.map((record) => ({ event: "click.unrecorded", reason: "overloaded", record }));
  writeFileSync(path.join(walk.dir, "logs.json"), wrapped(unrecorded));
  const brought = await step("click.unrecorded", fresh.origin);
  assert.match(brought, /"stored":2,"known":0,"bad":\[\]/);
  assert.equal(walk.blocks.length, 0, "the page's last block");
  assert.deepEqual(account.unknown, [], "what wrangler asked is answered by the stand-in");
});
