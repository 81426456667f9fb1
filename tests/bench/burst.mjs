// A burst: 20,000 clicks in five seconds on one message, or as fast as this machine answers them. All must be recorded, and
// settled within half a minute of being due.
//
// How long a click waits is counted from its own time, which is that of its answer (an answer waits for nothing), until the
// edge hears from the object that it is stored. When a click is settled the object's log says: it settles the oldest first.

import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../src/dev/run.mjs";
import { acknowledged, telling } from "../worker/acknowledged.mjs";
import { until } from "../worker/harness.mjs";
import { clickproof, startWorkerd } from "../worker/workerd.mjs";
import { archived, losses, table } from "./archive.mjs";
import { MESSAGE, api, openLoop } from "./load.mjs";
import { mb, measured, wasmMemory } from "./memory.mjs";

const CLICKS = 20_000;
const RATE = 4_000;
const CONNECTIONS = 128;
const WARM_UP = 200;
// Longer than the burst: all of it waits in memory at once.
const SETTLE_MS = 10_000;
// Settling begins so long after SETTLE_MS: recording takes its time.
const LAG_MS = 2_000;
const MAX_LATE_MS = 30_000;

/** Clicks and waits; returns the table. */
export async function burst({ clickproof: requests }) {
  console.error(`A burst of ${CLICKS} clicks`);
  const lost = losses();
  const [taken, settlings] = [[], []];
  const server = await startWorkerd(measured(telling(clickproof({ vars: { SETTLE_MS } })), "telling.js"), {
    logs(line) {
      lost.note(line);
      if (line.startsWith('{"event":"test.')) taken.push(...acknowledged(JSON.parse(line)));
      if (!line.startsWith('{"event":"message.settled"')) return;
      settlings.push({ at_ms: Date.now(), settled: JSON.parse(line).settled });
    },
  });
  try {
    // Code is compiled, connections are open, and the object is there.
    await openLoop(server, requests, { rate: WARM_UP, connections: 8, count: WARM_UP }).ended;
    await sleep(1_500);
    const before = server.memory();
    const [began, cpu] = [performance.now(), server.cpuSeconds()];
    const load = openLoop(server, requests.slice(WARM_UP), {
      rate: RATE,
      connections: CONNECTIONS,
      count: CLICKS,
    });
    await load.ended;
    const seconds = (performance.now() - began) / 1_000;
    const all = WARM_UP + CLICKS;
    await until(() => taken.length + lost.unrecorded >= all, { what: "the last click to be acknowledged" });
    const held = await wasmMemory(server);
    const report = () => api(server.origin, `/v1/messages/${MESSAGE}`);
    const settled = () => settlings.reduce((sum, { settled }) => sum + settled, 0);
    const { clicks, repeats } = await report();
    if (clicks + repeats !== all) throw new Failure(`Of ${all} clicks ${clicks + repeats} are recorded.`);
    await until(() => settled() >= clicks, {
      every: 100,
      timeout: 120_000,
      what: "the last click to be settled",
    });
    const each = ((server.cpuSeconds() - cpu) / CLICKS) * 1e6;
    const stored = () => new Set(archived(server).map(({ event_id }) => event_id)).size;
    await until(() => stored() === clicks, {
      every: 500,
      timeout: 60_000,
      what: "the last click in the bucket",
    });
    const late = latest(taken, settlings);
    const waits = taken
      .slice(WARM_UP)
      .map(({ ts_ms, at_ms }) => at_ms - ts_ms)
      .sort((a, b) => a - b);
    const rows = [
      [`a burst of ${CLICKS.toLocaleString("en")} clicks on one message`, ""],
      ["---", "---:"],
      [`seconds until all were answered (${CLICKS / RATE} asked for)`, seconds.toFixed(1)],
      ["recorded: stored, counted on another", `${clicks - WARM_UP}, ${repeats}`],
      ["spilled, lost", `${lost.spilled}, ${lost.unrecorded}`],
      ["from answer to acknowledged, median ms", `${waits[waits.length >> 1]}`],
      ["… at most", `${waits.at(-1)}`],
      ["settled after it was due, at most ms", `${late}`],
      ["CPU a click, µs", each.toFixed(0)],
      ["the runtime's memory before, MB", mb(before)],
      ["… at most", mb(server.peakMemory())],
      ["… after", mb(server.memory())],
      ["its wasm's memory, with all clicks stored and none settled", mb(held)],
      ["… with all settled", mb(await wasmMemory(server))],
    ];
    console.error(table(rows));
    if (late > MAX_LATE_MS) throw new Failure("Clicks settle too late.");
    return `Plain workerd, \`SETTLE_MS=${SETTLE_MS}\`, ${CONNECTIONS} connections:\n\n${table(rows)}\n`;
  } finally {
    await server.close();
  }
}

/** How long after it was due a click was settled, at most, milliseconds. */
function latest(taken, settlings) {
  const times = taken.map(({ ts_ms }) => ts_ms).sort((a, b) => a - b);
  let [first, late] = [0, 0];
  for (const { at_ms, settled } of settlings) {
    if (settled > 0) late = Math.max(late, at_ms - times[first] - SETTLE_MS - LAG_MS);
    first += settled;
  }
  return late;
}
