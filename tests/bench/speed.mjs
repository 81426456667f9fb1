// What a click takes: processor time, latency and cold start beside peers, measured in the same run.
//
// The load generator is the same for all and shares the machine with the server: read the ratios, not the numbers.
// Contenders take turns, each round on a fresh server; the table has the medians over the rounds.

import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { buildWorker } from "../../src/dev/build.mjs";
import { root } from "../../src/dev/run.mjs";
import { until } from "../worker/harness.mjs";
import { Connection } from "../worker/keepalive.mjs";
import { clickproof, jsWorker, rustWorker, startWorkerd } from "../worker/workerd.mjs";
import { DESTINATION, MESSAGE, api, closedLoop, redirected } from "./load.mjs";
import { javascriptPeer } from "./peer.mjs";

const ROUNDS = 4;
const CONNECTIONS = 16;
const WARM_UP_MS = 500;
const LATENCY_MS = 1_000;
const THROUGHPUT_MS = 2_000;
// A click waits for others up to a second, and for the call before it.
const RECORDING_MS = 2_500;
const COLD_STARTS = 9;

const JS_REDIRECT = `export default {
  fetch: () => new Response(null, { status: 302, headers: { location: ${JSON.stringify(DESTINATION)} } }),
};`;

// Takes every click and keeps none: what is left is the edge's work and the call.
const FORGETFUL = `import { DurableObject } from "cloudflare:workers";
  export class MessageObject extends DurableObject {
    async fetch(request) {
      await request.arrayBuffer();
      return new Response(null, { status: 204 });
    }
  }
  export default {};`;

/** Measures all contenders; returns the table. */
export async function speed(clicks) {
  const bare = await buildWorker(path.join(root, "tests/bench/bare"));
  const contenders = {
    js: { name: "a JavaScript redirect", worker: jsWorker(JS_REDIRECT), requests: clicks.redirect },
    rust: { name: "a Rust redirect", worker: rustWorker(bare), requests: clicks.redirect, coldStart: true },
    peer: {
      name: "a JavaScript click worker",
      worker: await javascriptPeer({ withRow: false }),
      requests: clicks.javascript,
      coldStart: true,
    },
    forgetful: {
      name: "Clickproof, its objects keep nothing",
      worker: clickproof({ objects: FORGETFUL }),
      requests: clicks.clickproof,
    },
    peerWithRow: {
      name: "a JavaScript click worker and one row",
      worker: await javascriptPeer({ withRow: true }),
      requests: clicks.javascript,
      recorded: async (origin) => Number(await (await fetch(`${origin}/rows/${MESSAGE}`)).text()),
    },
    whole: {
      name: "Clickproof",
      worker: clickproof(),
      requests: clicks.clickproof,
      recorded: async (origin) => {
        const { clicks, repeats } = await api(origin, `/v1/messages/${MESSAGE}`);
        return clicks + repeats;
      },
      coldStart: true,
    },
  };
  const all = Object.values(contenders);
  for (const contender of all) contender.rounds = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const contender of all) {
      console.error(`Round ${round} of ${ROUNDS}: ${contender.name}`);
      contender.rounds.push(await measure(contender));
    }
  }
  const cold = all.filter(({ coldStart }) => coldStart);
  for (const contender of cold) contender.starts = [];
  console.error(`${COLD_STARTS} cold starts of each: ${cold.map(({ name }) => name).join(", ")}`);
  for (let start = 0; start < COLD_STARTS; start += 1) {
    for (const contender of cold) contender.starts.push(await firstRedirect(contender));
  }
  return report(contenders);
}

/** One round: latency on one connection, then throughput on many, until everything that was sent is recorded. */
async function measure({ worker, requests, recorded }) {
  const server = await startWorkerd(worker);
  try {
    const load = { server, requests, sent: 0 };
    await closedLoop(load, CONNECTIONS, WARM_UP_MS);
    const times = await closedLoop(load, 1, LATENCY_MS);
    times.sort((a, b) => a - b);
    const before = load.sent;
    const cpu = server.cpuSeconds();
    const began = performance.now();
    await closedLoop(load, CONNECTIONS, THROUGHPUT_MS);
    const seconds = (performance.now() - began) / 1_000;
    // To ask what is recorded costs more than to record it: that comes when the time has been taken.
    if (recorded) await sleep(RECORDING_MS);
    const taken = server.cpuSeconds() - cpu;
    if (recorded) {
      const all = async () => (await recorded(server.origin)) === load.sent;
      await until(all, { timeout: 60_000, every: 500, what: "a record of every click" });
    }
    return {
      perSecond: (load.sent - before) / seconds,
      cpu: (taken / (load.sent - before)) * 1e6,
      p50: times[Math.floor(times.length * 0.5)],
      p99: times[Math.floor(times.length * 0.99)],
    };
  } finally {
    await server.close();
  }
}

/** From the start of the server's process to the end of its first redirect, milliseconds. */
async function firstRedirect({ worker, requests }) {
  const server = await startWorkerd(worker);
  try {
    const connection = new Connection(server.port);
    await redirected(connection, requests[0]);
    const ms = performance.now() - server.began;
    connection.close();
    return ms;
  } finally {
    await server.close();
  }
}

function report({ js, rust, peer, forgetful, peerWithRow, whole }) {
  const of = ({ rounds }, field) => median(rounds.map((round) => round[field]));
  const rounded = (value) => (Number.isNaN(value) ? "" : value.toFixed(0));
  const ms = (value) => value.toFixed(2);
  // Not every system tells the CPU time.
  const times = (value) => (Number.isNaN(value) ? "" : `${value.toFixed(2)} ×`);
  const ratio = (one, other, field) => times(of(one, field) / of(other, field));
  const rows = [
    ["", "redirects a second", "server CPU, µs each", "warm, median ms", "warm, p99 ms", "cold start, ms"],
    ["---", "---:", "---:", "---:", "---:", "---:"],
    ...[js, rust, peer, forgetful, peerWithRow, whole].map((contender) => [
      contender.name,
      of(contender, "perSecond").toFixed(0),
      rounded(of(contender, "cpu")),
      ms(of(contender, "p50")),
      ms(of(contender, "p99")),
      contender.starts ? median(contender.starts).toFixed(0) : "",
    ]),
    ...[
      [forgetful, peer],
      [whole, peerWithRow],
      [whole, rust],
    ].map(([one, other]) => [
      `**${one.name}, to ${other.name}**`,
      ratio(one, other, "perSecond"),
      ratio(one, other, "cpu"),
      ratio(one, other, "p50"),
      ratio(one, other, "p99"),
      one.starts && other.starts ? times(median(one.starts) / median(other.starts)) : "",
    ]),
  ];
  return [
    `Plain workerd, medians of ${ROUNDS} rounds. Redirects a second and CPU: ${CONNECTIONS} connections, the recording of`,
    "every click included where there is one; warm times: one connection. A cold start goes from the process's start to",
    "the end of its first redirect. The load generator shares the machine, so read the ratios; CPU is the steadiest.",
    "",
    ...rows.map((cells) => `| ${cells.join(" | ")} |`),
    "",
  ].join("\n");
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}
