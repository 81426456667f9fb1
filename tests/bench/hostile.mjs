// Ten million hostile inputs: most of them straight into the parsers, natively (tests/hostile), half a million as requests to a live
// worker. Whatever is taken, redirected, broken or changed by them ends the run.

import { randomInt } from "node:crypto";
import { Failure, output } from "../../src/dev/run.mjs";
import { attack } from "../worker/hostile.mjs";
import { table } from "./archive.mjs";
import { mb } from "./memory.mjs";

const NATIVE = 9_500_000;
const LIVE = 500_000;

/** Attacks; returns the tables. */
export async function hostile() {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  console.error(`${NATIVE} hostile inputs, natively; seed ${seed}`);
  Object.assign(process.env, { ROUNDS: String(NATIVE), SEED: String(seed) });
  const native = output("cargo", [
    "test",
    "--quiet",
    "--test=hostile",
    "no_hostile_input",
    "--",
    "--nocapture",
  ]);
  const parsers = native?.split("\n").filter((line) => line.startsWith("|"));
  if (!parsers) {
    throw new Failure("A parser breaks: run `cargo test --test hostile` with this seed to see which.");
  }

  console.error(`${LIVE} hostile requests to a live worker`);
  const result = await attack(LIVE, seed);
  const { bad, trouble, effects, afterwards } = result;
  const [first, settled, last] = [0, 1, 10].map((tenth) => result.memory[tenth]);
  for (const wrong of [bad, trouble, effects]) {
    if (wrong.length > 0) throw new Failure(`Seed ${seed}:\n${wrong.join("\n")}`);
  }
  if (afterwards.length !== 2) throw new Failure(`In earnest only ${afterwards.join()} had an effect.`);
  const rows = [...result.statuses].toSorted().map(([kind, answers]) => {
    const counts = [...answers].toSorted().map(([status, count]) => `${count} × ${status}`);
    return [kind, [...answers.values()].reduce((sum, count) => sum + count, 0), counts.join(", ")];
  });
  return `${NATIVE} hostile inputs, natively, seed ${seed}:

${parsers.join("\n")}

${result.sent} hostile requests to a live worker in ${result.seconds.toFixed(0)} s, the same seed. Redirects, errors of the server and \
changes: none; connections closed: ${result.closed}. Its memory at the start, after a tenth and at the end: \
${[first, settled, last].map(({ all }) => mb(all)).join(", ")} MB, the wasm's \
${[first, settled, last].map(({ wasm }) => (wasm / 2 ** 20).toFixed(1)).join(", ")} MB.

${table([["request", "sent", "answers"], ["---", "---:", "---"], ...rows])}
`;
}
