// `npm run bench`: what Clickproof costs beside peers measured in the same run on plain workerd. Prints a markdown
// table and writes it to build/bench.md.
//
// The load generator is the same for all and shares the machine with the server: read the ratios, not the numbers.
// Contenders take turns, each round on a fresh server; the table has the medians over the rounds.

import { writeFileSync } from "node:fs";
import path from "node:path";
import { build, buildWorker } from "../../src/dev/build.mjs";
import { Failure, main, output, root } from "../../src/dev/run.mjs";
import { API_TOKEN, until } from "../worker/harness.mjs";
import { Connection, get, status } from "../worker/keepalive.mjs";
import { clickproof, jsWorker, rustWorker, startWorkerd } from "../worker/workerd.mjs";

const ROUNDS = 5;
const CONNECTIONS = 16;
const WARM_UP_MS = 500;
const LATENCY_MS = 1_000;
const THROUGHPUT_MS = 3_000;
const COLD_STARTS = 9;

// One message, so one object takes every click: a campaign just sent.
const MESSAGE = "campaign";
// One link of one recipient takes a hundred clicks a minute before they are only counted: so many that it never does.
const COPIES = 160;
const LINKS = 100;
const DESTINATION = "https://shop.example/offer";

// A browser's, the same to every contender.
const HEADERS = {
  Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Accept-Encoding": "gzip, deflate, br, zstd",
  "Accept-Language": "en-GB,en;q=0.9",
  "CF-Connecting-IP": "203.0.113.7",
  "Sec-Fetch-Dest": "document",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Site": "cross-site",
  "Sec-Fetch-User": "?1",
  "User-Agent":
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
};

const JS_REDIRECT = `export default {
  fetch: () => new Response(null, { status: 302, headers: { location: ${JSON.stringify(DESTINATION)} } }),
};`;

// Takes every click and keeps none: what is left is the edge's work and the call.
const FORGETFUL = `import { DurableObject } from "cloudflare:workers";
  export class MessageObject extends DurableObject {
    async fetch(request) {
      await request.text();
      return new Response(null, { status: 204 });
    }
  }
  export default {};`;

await main(async () => {
  await build();
  const bare = await buildWorker(path.join(root, "tests/bench/bare"));
  const contenders = [
    { name: "a JavaScript redirect", worker: jsWorker(JS_REDIRECT), paths: () => ["/c/token"] },
    { name: "a Rust redirect", worker: rustWorker(bare), paths: () => ["/c/token"], coldStart: true },
    {
      name: "Clickproof, its objects keep nothing",
      worker: clickproof({ objects: FORGETFUL }),
      paths: clickPaths,
    },
    {
      name: "a Rust redirect and one row",
      worker: rustWorker(bare, { classes: ["Rows"] }),
      paths: () => [`/recorded/${MESSAGE}/token`],
      recorded: async (origin) => Number(await (await fetch(`${origin}/rows/${MESSAGE}`)).text()),
    },
    {
      name: "Clickproof",
      worker: clickproof(),
      paths: clickPaths,
      recorded: async (origin) => {
        const { clicks, repeats } = await api(origin, `/v1/messages/${MESSAGE}`);
        return clicks + repeats;
      },
      coldStart: true,
    },
  ];
  for (const contender of contenders) contender.rounds = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const contender of contenders) {
      console.error(`Round ${round} of ${ROUNDS}: ${contender.name}`);
      contender.rounds.push(await measure(contender));
    }
  }
  const cold = contenders.filter(({ coldStart }) => coldStart);
  for (const contender of cold) contender.starts = [];
  console.error(`${COLD_STARTS} cold starts of each: ${cold.map(({ name }) => name).join(", ")}`);
  for (let start = 0; start < COLD_STARTS; start += 1) {
    for (const contender of cold) contender.starts.push(await firstRedirect(contender));
  }
  console.error("What judging costs beside checking a token");
  const cost = output("cargo", ["bench", "--bench", "cost", "--quiet"]);
  if (!cost)
    throw new Failure("Judging costs too much, or `cargo bench --bench cost` fails: run it to see why.");
  const table = `${report(contenders)}\nNative, one thread, the best of nine:\n\n${cost}\n`;
  console.log(`\n${table}`);
  writeFileSync(path.join(root, "build/bench.md"), table);
});

async function clickPaths(origin) {
  const links = Array.from({ length: LINKS }, (_, n) => ({ link_id: `l${n}`, url: DESTINATION }));
  const paths = [];
  for (let copy = 0; copy < COPIES; copy += 1) {
    const body = { message_id: MESSAGE, recipient_id: `r${copy}`, sent_at_ms: Date.now(), links };
    const minted = await api(origin, "/v1/links", { method: "POST", body: JSON.stringify(body) });
    paths.push(...minted.links.map(({ href }) => new URL(href).pathname));
  }
  return paths;
}

async function api(origin, path, init) {
  const response = await fetch(origin + path, { ...init, headers: { Authorization: `Bearer ${API_TOKEN}` } });
  if (response.status !== 200) throw new Failure(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** One round: latency on one connection, then throughput on many, until everything that was sent is recorded. */
async function measure(contender) {
  const { worker, paths, recorded } = contender;
  const server = await startWorkerd(worker);
  try {
    const requests = (await paths(server.origin)).map((path) => get(path, HEADERS));
    // Links hold on any server with the same keys.
    contender.request = requests[0];
    const load = { server, requests, sent: 0 };
    await run(load, CONNECTIONS, WARM_UP_MS);
    const times = await run(load, 1, LATENCY_MS);
    times.sort((a, b) => a - b);
    const before = load.sent;
    const cpu = server.cpuSeconds();
    const began = performance.now();
    await run(load, CONNECTIONS, THROUGHPUT_MS);
    if (recorded) {
      const all = async () => (await recorded(server.origin)) === load.sent;
      await until(all, { timeout: 60_000, what: "a record of every click" });
    }
    const seconds = (performance.now() - began) / 1_000;
    return {
      perSecond: (load.sent - before) / seconds,
      cpu: ((server.cpuSeconds() - cpu) / (load.sent - before)) * 1e6,
      p50: times[Math.floor(times.length * 0.5)],
      p99: times[Math.floor(times.length * 0.99)],
    };
  } finally {
    await server.close();
  }
}

/** Sends requests over so many connections for a while, each after the answer to the one before; returns the times. */
async function run(load, connections, ms) {
  const times = [];
  const end = performance.now() + ms;
  const loop = async () => {
    const connection = new Connection(load.server.port);
    for (let began = performance.now(); began < end;) {
      const head = await connection.send(load.requests[load.sent++ % load.requests.length]);
      if (status(head) !== 302) throw new Failure(`Not a redirect:\n${head}`);
      const now = performance.now();
      times.push(now - began);
      began = now;
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: connections }, loop));
  return times;
}

/** From the start of the server's process to the end of its first redirect, milliseconds. */
async function firstRedirect({ worker, request }) {
  const server = await startWorkerd(worker);
  try {
    const connection = new Connection(server.port);
    const head = await connection.send(request);
    const ms = performance.now() - server.began;
    connection.close();
    if (status(head) !== 302) throw new Failure(`Not a redirect:\n${head}`);
    return ms;
  } finally {
    await server.close();
  }
}

function report(contenders) {
  const [js, rust, forgetful, row, whole] = contenders;
  const of = ({ rounds }, field) => median(rounds.map((round) => round[field]));
  const rounded = (value) => (Number.isNaN(value) ? "" : value.toFixed(0));
  const ms = (value) => value.toFixed(2);
  // Not every system tells the CPU time.
  const times = (value) => (Number.isNaN(value) ? "" : `${value.toFixed(2)} ×`);
  const ratio = (one, other, field) => times(of(one, field) / of(other, field));
  const rows = [
    ["", "redirects a second", "server CPU, µs each", "warm, median ms", "warm, p99 ms", "cold start, ms"],
    ["---", "---:", "---:", "---:", "---:", "---:"],
    ...contenders.map((contender) => [
      contender.name,
      of(contender, "perSecond").toFixed(0),
      rounded(of(contender, "cpu")),
      ms(of(contender, "p50")),
      ms(of(contender, "p99")),
      contender.starts ? median(contender.starts).toFixed(0) : "",
    ]),
    ...[
      [rust, js],
      [forgetful, rust],
      [whole, row],
      [whole, rust],
    ].map(([one, peer]) => [
      `**${one.name}, to ${peer.name}**`,
      ratio(one, peer, "perSecond"),
      ratio(one, peer, "cpu"),
      ratio(one, peer, "p50"),
      ratio(one, peer, "p99"),
      one.starts && peer.starts ? times(median(one.starts) / median(peer.starts)) : "",
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
  return sorted[Math.floor(sorted.length / 2)];
}
