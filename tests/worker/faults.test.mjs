// The fault table of what stands around an object: what it gives the queue, what the consumer writes and posts, what the queue brings.
// Each fails before it is done, fails behind that, is answered late, or is done twice, and that three times in a row, or is never answered; in the
// end every click is in the bucket, once by its id and revision, and the sender has heard of every act. What an object's own storage
// does, tests/faults.rs walks; the way of a click to its object, batch.test.mjs.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { client, until } from "./harness.mjs";
import { startPlatform } from "./platform.mjs";
import { clickproof, startWorkerd } from "./workerd.mjs";

const SECRET = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;
const BUCKET = "clickproof-events";
const MESSAGE = "spring";
const CLICKS = 24;
// Of so many copies somebody unsubscribes.
const ACTS = 2;
const SETTLE_MS = 200;
const LATE_MS = 3_000;
// Who waits for an answer that never comes gives up after up to half a minute.
const timesOf = (way) => (way === "never" ? 1 : 3);

const TABLE = [
  ["the queue that takes events", "send", ["before", "behind", "late", "never"]],
  ["the bucket", "put", ["before", "behind", "late", "never"]],
  ["the queue that brings events", "batch", ["twice"]],
  ["the sender's receiver", "post", ["before", "behind", "late", "never"]],
];
const WORDS = {
  before: "fails before",
  behind: "fails behind",
  late: "answers late",
  never: "never answers",
  twice: "does it twice",
};

/** A receiver of webhooks; what it has taken, by `webhook-id`. */
async function startReceiver(t, trouble) {
  const taken = new Set();
  const server = http.createServer(async (request, response) => {
    await request.toArray();
    const ill = trouble("post");
    if (ill === "before") return response.writeHead(503).end();
    if (ill === "never") return;
    taken.add(request.headers["webhook-id"]);
    if (ill === "behind") return request.socket.destroy();
    if (ill === "late") await sleep(LATE_MS);
    response.writeHead(204).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => (server.closeAllConnections(), server.close()));
  return { taken, url: `http://127.0.0.1:${server.address().port}` };
}

describe("around an object", { concurrency: 7 }, () => {
  for (const [who, what, ways] of TABLE) {
    for (const way of ways) {
      test(`${who} ${WORDS[way]}: nothing is lost, nothing is there twice`, async (t) => {
        const lines = [];
        let left = timesOf(way);
        const trouble = (asked) => (asked === what && left-- > 0 ? way : null);
        const receiver = await startReceiver(t, trouble);
        const worker = clickproof({
          vars: { SETTLE_MS, UNSUBSCRIBE_WEBHOOK_URL: receiver.url, WEBHOOK_SECRET: SECRET },
        });
        const platform = await startPlatform({ ...worker.platform, trouble });
        t.after(() => platform.close());
        const server = await startWorkerd(worker, { platform, logs: (line) => lines.push(line) });
        t.after(() => server.close());
        const sender = client(server.origin);

        const copies = await Promise.all(Array.from({ length: CLICKS }, (_, n) => mint(sender, n)));
        for (const { click, unsubscribe } of copies) {
          assert.equal((await sender.click(click)).status, 302);
          if (unsubscribe) assert.equal((await oneClick(sender, unsubscribe)).status, 200);
          await sleep(40);
        }
        const listed = await until(
          async () => {
            const clicks = await sender.clicks(MESSAGE);
            const all = clicks.length === CLICKS + ACTS && clicks.every(({ final }) => final);
            const stored = new Set(events(platform).map(key));
            return (
              all && clicks.every((click) => revisions(click).every((each) => stored.has(each))) && clicks
            );
          },
          { every: 200, timeout: 90_000, what: "every revision in the bucket" },
        );
        const stored = events(platform).map(key);
        assert.equal(new Set(stored).size, stored.length, "nothing is there twice");
        assert.deepEqual(new Set(stored), new Set(listed.flatMap(revisions)), "and nothing else");
        assert.equal(platform.bucket(BUCKET).changes, 0, "what is written again is the same");
        const acts = listed.filter(({ kind }) => kind === "unsubscribe").map(({ event_id }) => event_id);
        await until(() => acts.every((id) => receiver.taken.has(id)), {
          every: 200,
          timeout: 90_000,
          what: "every act at its receiver",
        });
        assert.equal(receiver.taken.size, ACTS);
        assert.ok(left < timesOf(way), "it did go wrong");
      });
    }
  }
});

async function mint(sender, n) {
  const links = [{ link_id: "l", url: "https://shop.example/" }];
  if (n < ACTS) links.push({ link_id: "u", kind: "unsubscribe" });
  const body = { message_id: MESSAGE, recipient_id: `r${n}`, sent_at_ms: Date.now(), links };
  const [click, unsubscribe] = (await sender.mint(body)).links;
  return { click: click.href, unsubscribe: unsubscribe ? new URL(unsubscribe.href).pathname : null };
}

const oneClick = (sender, path) =>
  sender.request(path, {
    method: "POST",
    body: "List-Unsubscribe=One-Click",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  });

const events = (platform) =>
  [...platform.bucket(BUCKET).objects.values()].flatMap((bytes) =>
    String(bytes)
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  );

const key = ({ event_id, revision }) => `${event_id} ${revision}`;

const revisions = (click) =>
  Array.from({ length: click.revision }, (_, before) => key({ ...click, revision: before + 1 }));
