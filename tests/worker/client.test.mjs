// The commands that ask a running Worker, against one: what they print is what its API says.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  MICROSOFT,
  chrome,
  clickproof,
  freshMessage,
  listClicks,
  mintCopy,
  report,
  settledClicks,
} from "./clicks.mjs";
import { API_TOKEN, startWorker } from "./harness.mjs";

let worker;
before(async () => (worker = await startWorker({ vars: { SETTLE_MS: 0 } })));
after(() => worker.close());

const asked = (...args) => clickproof([...args, "--url", worker.origin], { env: { API_TOKEN } });

test("report and clicks print what the API says of a message", async () => {
  const { message_id, hrefs } = await mintCopy(worker, {
    message_id: freshMessage("client"),
    sent_at_ms: Date.now() - 3_600_000,
    urls: ["https://shop.example/1", "https://shop.example/2"],
  });
  const visitors = [{ headers: chrome() }, MICROSOFT, { headers: chrome() }];
  for (const [at, visitor] of visitors.entries()) await worker.click(hrefs[at % 2], visitor);
  await settledClicks(worker, message_id, visitors.length);

  const json = await asked("report", message_id, "--json");
  assert.equal(json.status, 0, json.stderr);
  assert.deepEqual(JSON.parse(json.stdout), await report(worker, message_id));

  const { status, stdout, stderr } = await asked("report", message_id);
  assert.equal(status, 0, stderr);
  assert.match(stdout, new RegExp(`^message +${message_id}$`, "m"));
  assert.match(stdout, /^clicks +3$/m);
  assert.match(stdout, /^l1 +2 .* https:\/\/shop\.example\/1$/m);

  const lines = await asked("clicks", message_id);
  assert.equal(lines.stdout, await worker.api(`/v1/messages/${message_id}/clicks`).then((it) => it.text()));
  const [first, second] = await listClicks(worker, message_id);
  const some = await asked("clicks", message_id, "--limit", "1", "--after", first.event_id);
  assert.deepEqual(JSON.parse(some.stdout), second);
  const filters = [
    "--kind",
    "click",
    "--recipient-id",
    "r1",
    "--link-id",
    "l2",
    "--click-type",
    second.click_type,
  ];
  const filtered = await asked("clicks", message_id, ...filters);
  assert.deepEqual(JSON.parse(filtered.stdout), second);
  const table = await asked("clicks", message_id, "--table");
  assert.equal(table.stdout.trim().split("\n").length, 1 + visitors.length, table.stdout);
});

test("what the API refuses is told", async () => {
  const unknown = await asked("report", freshMessage("nobodys"));
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /has no click of it/);
  const args = ["clicks", "m", "--url", worker.origin];
  const stranger = await clickproof(args, { env: { API_TOKEN: "a-strangers-token-1" } });
  assert.equal(stranger.status, 2);
  assert.match(stranger.stderr, /refuses the token/);
});
