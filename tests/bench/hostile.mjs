// Ten million hostile inputs: most of them straight into the parsers, natively (tests/hostile), half a million as requests to a live
// worker. Whatever is taken, redirected, broken or changed by them ends the run.

import { randomInt } from "node:crypto";
import { Failure, output } from "../../src/dev/run.mjs";
import { attack } from "../worker/hostile.mjs";
import { table } from "./archive.mjs";
import { mb } from "./memory.mjs";

const PARSED = 5_000_000;
const NATIVE = 4_500_000;
const LIVE = 500_000;

/** Attacks; returns the tables. */
export async function hostile() {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  console.error(`${PARSED} hostile inputs for parsers and ${NATIVE} requests, natively; seed ${seed}`);
  const rows = [
    ...native(seed, PARSED, "--test=hostile", "no_hostile_input"),
    ...native(seed, NATIVE, "--lib", "no_hostile_request"),
  ];

  console.error(`${LIVE} hostile requests to a live worker`);
  const result = await attack(LIVE, seed);
  const { bad, trouble, effects, afterwards } = result;
  for (const wrong of [bad, trouble, effects]) {
    if (wrong.length > 0) throw new Failure(`Seed ${seed}:\n${wrong.join("\n")}`);
  }
  if (afterwards.length !== 2) throw new Failure(`In earnest only ${afterwards.join()} had an effect.`);
  const answers = [...result.statuses].toSorted().map(([kind, counted]) => {
    const counts = [...counted].toSorted().map(([status, count]) => `${count} × ${status}`);
    return [kind, [...counted.values()].reduce((sum, count) => sum + count, 0), counts.join(", ")];
  });
  return `${PARSED + NATIVE} hostile inputs, natively, seed ${seed}:

${rows.join("\n")}

${result.sent} hostile requests to a live worker in ${result.seconds.toFixed(0)} s, the same seed. Redirects, errors of the server and \
changes: none; connections closed: ${result.closed}. Its memory at the start and after each tenth: \
${result.memory.map(({ all }) => mb(all)).join(", ")} MB, the wasm's \
${result.memory.map(({ wasm }) => (wasm / 2 ** 20).toFixed(1)).join(", ")} MB.

${table([["request", "sent", "answers"], ["---", "---:", "---"], ...answers])}
`;
}

/** Runs the tests of hostile input that are there natively, at length; returns the rows of their tables. */
function native(seed, rounds, which, name) {
  Object.assign(process.env, { ROUNDS: String(rounds), SEED: String(seed) });
  const printed = output("cargo", ["test", "--quiet", which, name, "--", "--nocapture"]);
  const rows = printed?.split("\n").filter((line) => line.startsWith("|"));
  if (!rows) throw new Failure(`Something breaks: SEED=${seed} ROUNDS=${rounds} cargo test ${which} ${name}`);
  return rows;
}
