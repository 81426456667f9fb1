// Pages of several objects as one listing, whichever object has which click.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Merged } from "../../src/edge/listing.mjs";

const OBJECTS = 5;

const idOf = (n) => `019a0000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;

const lineOf = (n) => `{"event_id":"${idOf(n)}","url":"https://shop.example/?\\"event_id\\":\\"000"}`;

/** The page behind a click of an object that has these, of which each page looks at so many and shows those that are wanted. */
function page(clicks, after, looks, wants) {
  const seen = clicks.filter((n) => idOf(n) > after).slice(0, looks);
  const next = seen.length === looks ? idOf(seen.at(-1)) : "";
  return [next, ...seen.filter(wants).map(lineOf)].join("\n");
}

// xorshift32: a failure names its seed.
function dice(seed) {
  let state = seed;
  return (end) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % end;
  };
}

test("the clicks of all objects come in their order, however long pages are and though a filter leaves some empty", () => {
  for (let seed = 1; seed <= 2_000; seed++) {
    const roll = dice(seed);
    const clicks = Array.from({ length: OBJECTS }, () => []);
    const all = Array.from({ length: roll(60) }, (_, n) => n + 1);
    for (const n of all) clicks[roll(OBJECTS)].push(n);
    const looks = clicks.map(() => 1 + roll(8));
    const [takes, after] = [1 + roll(20), roll(2) ? "" : idOf(roll(60))];
    const wants = roll(2) ? () => true : (n) => n % 3 === 0;
    const ask = (object, after) => page(clicks[object], after, looks[object], wants);

    const merged = new Merged(clicks.map((_, object) => ask(object, after)));
    const listed = [];
    while (!merged.isDone) {
      const lines = merged.take(takes);
      assert.ok(lines.length <= takes, `seed ${seed}`);
      listed.push(...lines);
      for (const [object, after] of merged.wanting()) merged.give(object, ask(object, after));
    }
    const wanted = all.filter((n) => idOf(n) > after && wants(n)).map(lineOf);
    assert.deepEqual(listed, wanted, `seed ${seed}`);
  }
});
