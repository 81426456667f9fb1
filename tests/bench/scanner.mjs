// A scanner that takes every link of many copies at once: fifty links of twelve hundred copies in two minutes. Somebody else asks
// the message's object all the while, twice a second: how long that waits is printed, and no connection may be closed unanswered.
// `npm run bench -- scanner` plays a share of it, CLICKPROOF_COPIES says how many copies.

import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../src/dev/run.mjs";
import { until } from "../worker/harness.mjs";
import { clickproof, startWorkerd } from "../worker/workerd.mjs";
import { losses, table } from "./archive.mjs";
import { api, copies, openLoop } from "./load.mjs";

const MESSAGE = "scanned";
const LINKS = 50;
const COPIES = Number(process.env.CLICKPROOF_COPIES ?? 300);
// Sixty thousand clicks in two minutes.
const RATE = 500;
const CONNECTIONS = 64;
// Shorter than usual: what it settles, it settles while the scanner goes on.
const SETTLE_MS = 5_000;
const ASK_MS = 500;

/** Plays it; returns the table. */
export async function scanner() {
  console.error(`A scanner that takes ${LINKS} links of ${COPIES} copies`);
  const requests = await copies(MESSAGE, COPIES, LINKS);
  const lost = losses();
  const server = await startWorkerd(clickproof({ vars: { SETTLE_MS } }), { logs: (line) => lost.note(line) });
  try {
    const waits = { idle: [], loaded: [] };
    const ask = async (which) => {
      const began = performance.now();
      await api(server.origin, `/v1/messages/${MESSAGE}`);
      waits[which].push(performance.now() - began);
    };
    for (let n = 0; n < 10; n += 1) await ask("idle");
    const began = performance.now();
    const load = openLoop(server, requests, { rate: RATE, connections: CONNECTIONS, count: requests.length });
    let goes = true;
    const asking = (async () => {
      while (goes) {
        await ask("loaded");
        await sleep(ASK_MS);
      }
    })();
    await load.ended;
    const seconds = (performance.now() - began) / 1_000;
    // What is due still settles.
    const settled = async () => {
      const { clicks, repeats, unsettled } = await api(server.origin, `/v1/messages/${MESSAGE}`);
      if (clicks + repeats + lost.unrecorded < requests.length) return false;
      return unsettled === 0;
    };
    await until(settled, { every: 500, timeout: 120_000, what: "the last click to be settled" });
    goes = false;
    await asking;
    const rows = [
      [`${LINKS} links × ${COPIES} copies, ${RATE} a second`, ""],
      ["---", "---:"],
      ["seconds until all were answered", seconds.toFixed(1)],
      ["closed unanswered", "0"],
      ["spilled, lost", `${lost.spilled}, ${lost.unrecorded}`],
      ["another call waits, with nothing to do: median ms", middle(waits.idle)],
      ["… under load: median ms", middle(waits.loaded)],
      ["… at most", Math.max(...waits.loaded).toFixed(0)],
    ];
    if (lost.unrecorded > 0) throw new Failure(`${lost.unrecorded} clicks are lost.`);
    return `Plain workerd, \`SETTLE_MS=${SETTLE_MS}\`, ${CONNECTIONS} connections:\n\n${table(rows)}\n`;
  } finally {
    await server.close();
  }
}

function middle(times) {
  return times.sort((a, b) => a - b)[times.length >> 1].toFixed(0);
}
