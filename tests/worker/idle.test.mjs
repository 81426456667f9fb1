// What many small messages leave behind: nothing. Each is recorded, settled and shipped, then its object is let go.

import assert from "node:assert/strict";
import { test } from "node:test";
import { API_TOKEN, until } from "./harness.mjs";
import { Connection, get, status } from "./keepalive.mjs";
import { clickproof, startWorkerd } from "./workerd.mjs";

const MESSAGES = 500;
const CONNECTIONS = 8;
const BUCKET = "clickproof-events";
const MB = 1 << 20;
// An object that is idle goes after ten seconds.
const IDLE = { timeout: 30_000, every: 250, what: "the last object to be let go" };

test("hundreds of messages of one click are shipped, let go and leave nothing in memory", async (t) => {
  const server = await startWorkerd(clickproof({ vars: { SETTLE_MS: 0 } }));
  t.after(() => server.close());
  if (server.openObjects() === undefined) return t.skip("this system does not tell what a process holds");
  // The runtime's allocator keeps what it has ever had: two waves show how much that is, the third one what leaks. An object
  // that is not let go takes more than 200 kB, so a wave of them twice the bound.
  for (const n of [0, 1]) await wave(server, n * MESSAGES);
  const before = server.memory();
  await wave(server, 2 * MESSAGES);
  const grown = (server.memory() - before) / MB;
  t.diagnostic(`${grown.toFixed(0)} MB more than before`);
  assert.ok(grown < 60, `${grown} MB`);
});

/** Opens a link of each of so many new messages; ends when all is in the bucket and no object is left in memory. */
async function wave(server, first) {
  await clickOn(server, first, first + MESSAGES);
  const { objects } = server.platform.bucket(BUCKET);
  const events = () => [...objects.values()].join("").split("\n").filter(Boolean);
  const all = first + MESSAGES;
  await until(() => events().length >= all, { what: "the last pack in the bucket", every: 500 });
  assert.equal(new Set(events().map((line) => JSON.parse(line).message_id)).size, all);
  await until(() => server.openObjects() === 0, IDLE);
}

/** Mints and opens one link of each of these messages. */
async function clickOn(server, first, end) {
  let next = first;
  async function run() {
    const connection = new Connection(server.port);
    for (let n = next++; n < end; n = next++) {
      const response = await fetch(`${server.origin}/v1/links`, {
        method: "POST",
        headers: { Authorization: `Bearer ${API_TOKEN}` },
        body: JSON.stringify({
          message_id: `m${n}`,
          recipient_id: "r",
          sent_at_ms: Date.now(),
          links: [{ link_id: "l", url: "https://shop.example/" }],
        }),
      });
      const { links } = await response.json();
      assert.equal(status(await connection.send(get(new URL(links[0].href).pathname))), 302);
    }
    connection.close();
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, run));
}
