// What very many small messages leave behind: 20,000 messages with one click each, at 200 a second. Every click must be
// recorded, settled and shipped, and half a minute after the last one no object may be in memory.
//
// How much larger the runtime is afterwards is told and not judged: its allocator keeps what it has once had and what lies between
// things in use, and with ten lines of JavaScript as object it grows by tens of megabytes, too. Messages at the same pace come first,
// so that what objects take at once is not counted.

import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../src/dev/run.mjs";
import { until } from "../worker/harness.mjs";
import { clickproof, startWorkerd } from "../worker/workerd.mjs";
import { archived, losses, table } from "./archive.mjs";
import { oneClickMessages, openLoop } from "./load.mjs";
import { mb, measured, wasmMemory } from "./memory.mjs";

const WARM_UP = 8_000;
const MESSAGES = 20_000;
const RATE = 200;
const CONNECTIONS = 32;
const SETTLE_MS = 500;
const REST_MS = 30_000;

/** Clicks and waits; returns the table. */
export async function messages() {
  console.error(`Minting ${WARM_UP + MESSAGES} messages`);
  const requests = await oneClickMessages(WARM_UP + MESSAGES);
  const lost = losses();
  const server = await startWorkerd(measured(clickproof({ vars: { SETTLE_MS } })), { logs: lost.note });
  try {
    if (server.openObjects() === undefined)
      throw new Failure("This system does not tell what a process holds.");
    const fresh = server.memory();
    console.error(`Clicking on ${WARM_UP} to warm up`);
    await wave(server, requests.slice(0, WARM_UP), WARM_UP);
    await wasmMemory(server);
    const before = server.memory();
    console.error(`Clicking on ${MESSAGES}`);
    const cpu = server.cpuSeconds();
    const seen = await wave(server, requests.slice(WARM_UP), WARM_UP + MESSAGES);
    const wasm = await wasmMemory(server);
    const after = server.memory();
    const each = ((server.cpuSeconds() - cpu) / MESSAGES) * 1e6;
    const rows = [
      [`${MESSAGES.toLocaleString("en")} messages with one click each`, ""],
      ["---", "---:"],
      ["clicks a second", seen.rate.toFixed(0)],
      ["clicks recorded, settled and shipped", `${seen.clicks - WARM_UP}`],
      ["spilled, lost", `${lost.spilled}, ${lost.unrecorded}`],
      ["CPU a click, µs", each.toFixed(0)],
      ["most objects in memory", `${seen.most}`],
      [`objects in memory ${REST_MS / 1_000} s after the last click`, `${seen.open}`],
      ["the runtime's memory as it starts, MB", mb(fresh)],
      [`… after ${WARM_UP.toLocaleString("en")} messages before these`, mb(before)],
      ["… at most", mb(server.peakMemory())],
      ["… after all", mb(after)],
      ["… grown by", mb(after - before)],
      ["its wasm's memory", mb(wasm)],
    ];
    console.error(table(rows));
    if (seen.open > 0) throw new Failure("Objects stay in memory that have nothing to do.");
    return `Plain workerd, \`SETTLE_MS=${SETTLE_MS}\`, V8's garbage collected before memory is read:\n\n${table(rows)}\n`;
  } finally {
    await server.close();
  }
}

/** Sends clicks, waits until the bucket has as many as it must have, and until objects should have gone. */
async function wave(server, requests, all) {
  const began = performance.now();
  const load = openLoop(server, requests, { rate: RATE, connections: CONNECTIONS, count: requests.length });
  let most = 0;
  const watching = setInterval(() => (most = Math.max(most, server.openObjects())), 500);
  try {
    await load.ended;
    const rate = (load.sent / (performance.now() - began)) * 1_000;
    await sleep(REST_MS);
    const open = server.openObjects();
    const stored = () => archived(server).length >= all;
    await until(stored, { timeout: 60_000, every: 1_000, what: `${all} clicks in the bucket` });
    const clicks = new Set(archived(server).map(({ message_id }) => message_id)).size;
    if (clicks !== all) throw new Failure(`Of ${all} messages ${clicks} are in the bucket.`);
    return { rate, most, open, clicks };
  } finally {
    clearInterval(watching);
  }
}
