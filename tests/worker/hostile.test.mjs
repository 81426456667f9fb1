// Twenty thousand hostile requests on plain workerd: no redirect, no error, no panic, nothing stored or proven that nobody signed,
// and memory stays. `npm run bench -- hostile` sends half a million.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { attack } from "./hostile.mjs";

const REQUESTS = 20_000;
// After the first tenth, bytes. The wasm's memory grows by pages and for its largest body; what a leak of a whole request each came to
// would be more than either.
const MAX_WASM_GROWTH = 2 * 2 ** 20;
const MAX_GROWTH = 96 * 2 ** 20;

test(`${REQUESTS} hostile requests change nothing and break nothing`, async (t) => {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  t.diagnostic(`seed ${seed}`);
  const { sent, statuses, bad, memory, effects, afterwards, lives, trouble } = await attack(REQUESTS, seed);
  assert.deepEqual(bad, []);
  assert.equal(sent, REQUESTS);
  assert.deepEqual(trouble, [], "the log says nothing of trouble");
  assert.deepEqual(effects, [], "nothing was proven, nobody was unsubscribed");
  assert.deepEqual(afterwards, ["unsubscribe", "verified: interacted"], "in earnest both work");
  assert.ok(lives);
  const growth = (what) => memory.at(-1)[what] - memory[1][what];
  assert.ok(growth("wasm") <= MAX_WASM_GROWTH, `the wasm's memory grew by ${growth("wasm")} bytes`);
  // Where the system does not tell, it is no number.
  assert.ok(!(growth("all") > MAX_GROWTH), `memory grew by ${growth("all")} bytes`);
  assert.equal(statuses.size, 10, "of each kind some were sent");
  // With a token some calls are good ones. Without, and on forged links, nothing is.
  assert.deepEqual([...statuses.get("calls without a token").keys()], ["401"]);
  assert.deepEqual([...statuses.get("links of another kind").keys()], ["404"]);
  assert.deepEqual([...statuses.get("forms on forged links").keys()], ["404"]);
  assert.deepEqual([...statuses.get("forms on a link that acts").keys()], ["400"]);
});
