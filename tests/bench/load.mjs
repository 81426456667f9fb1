// The clicks that every contender gets, and who sends them.

import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../src/dev/run.mjs";
import { API_TOKEN } from "../worker/harness.mjs";
import { Connection, get, status } from "../worker/keepalive.mjs";
import { clickproof, startWorkerd } from "../worker/workerd.mjs";
import { peerPath } from "./peer.mjs";

/** One message, so one object takes every click: a campaign just sent. */
export const MESSAGE = "campaign";

export const DESTINATION = "https://shop.example/offer";

// One link of one recipient takes a hundred clicks a minute before they are only counted: so many that it never does. And so
// many recipients that one who clicks all links is long done with one before the next, as people are.
const RECIPIENTS = 12_000;
const LINKS = 3;

// A connection that has nothing to do for five seconds is closed by the server.
const IDLE_MS = 2_000;

// Mint calls at once.
const MINTERS = 8;

// What people's browsers say: more than one, as in any campaign.
const AGENTS = [
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
  "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
];
const LANGUAGES = ["en-GB,en;q=0.9", "de-DE,de;q=0.9,en;q=0.7", "fr-FR,fr;q=0.9", "en-US,en;q=0.9"];

/** A browser's headers, of its own for each recipient. */
function headers(recipient) {
  return {
    Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": LANGUAGES[recipient % LANGUAGES.length],
    // The block that is set aside for benchmarks (RFC 2544), in no scanner's network.
    "CF-Connecting-IP": `198.18.${recipient >> 8}.${recipient & 255}`,
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-User": "?1",
    "User-Agent": AGENTS[recipient % AGENTS.length],
  };
}

/** The same clicks for each kind of contender, in the same order: Clickproof's, the peer's, and those who look at no link. */
export async function clicks() {
  const paths = await mint(RECIPIENTS, copy);
  const all = { clickproof: [], javascript: [], redirect: [] };
  for (let link = 0; link < LINKS; link += 1) {
    for (let recipient = 0; recipient < RECIPIENTS; recipient += 1) {
      const peer = peerPath({ ...copy(recipient), ...copy(recipient).links[link] });
      all.clickproof.push(get(paths[recipient][link], headers(recipient)));
      all.javascript.push(get(peer, headers(recipient)));
      all.redirect.push(get("/c/token", headers(recipient)));
    }
  }
  return all;
}

function copy(recipient) {
  const links = Array.from({ length: LINKS }, (_, n) => ({ link_id: `l${n}`, url: DESTINATION }));
  return { message_id: MESSAGE, recipient_id: `r${recipient}`, sent_at_ms: SENT_AT_MS, links };
}
const SENT_AT_MS = Date.now();

/** A click on each of so many messages, by a recipient of its own. */
export async function oneClickMessages(count) {
  const links = [{ link_id: "l", url: DESTINATION }];
  const paths = await mint(count, (n) => ({
    message_id: `message-${n}`,
    recipient_id: `r${n}`,
    sent_at_ms: SENT_AT_MS,
    links,
  }));
  return paths.map(([path], n) => get(path, headers(n)));
}

/** A click on each link of so many copies of a message, copy by copy, as a scanner of Microsoft's makes them. */
export async function copies(message_id, count, links) {
  const paths = await mint(count, (n) => ({
    message_id,
    recipient_id: `r${n}`,
    sent_at_ms: SENT_AT_MS,
    links: Array.from({ length: links }, (_, link) => ({
      link_id: `l${link}`,
      url: `${DESTINATION}/${link}`,
    })),
  }));
  const from = (n) => ({ "CF-Connecting-IP": `40.92.${n >> 8}.${n & 255}`, "User-Agent": AGENTS[0] });
  return paths.flatMap((of, n) => of.map((path) => get(path, from(n))));
}

/** The paths of the links of so many copies. Links hold on any server with the same keys. */
async function mint(count, copyOf) {
  const server = await startWorkerd(clickproof());
  const paths = [];
  let next = 0;
  async function run() {
    for (let n = next++; n < count; n = next++) {
      const { links } = await api(server.origin, "/v1/links", {
        method: "POST",
        body: JSON.stringify(copyOf(n)),
      });
      paths[n] = links.map(({ href }) => new URL(href).pathname);
    }
  }
  await Promise.all(Array.from({ length: MINTERS }, run));
  await server.close();
  return paths;
}

/** A call of Clickproof's API. */
export async function api(origin, path, init) {
  const response = await fetch(origin + path, { ...init, headers: { Authorization: `Bearer ${API_TOKEN}` } });
  if (!response.ok) throw new Failure(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Sends requests over so many connections for a while, each after the answer to the one before; returns the times. */
export async function closedLoop(load, connections, ms) {
  const times = [];
  const end = performance.now() + ms;
  const loop = async () => {
    const connection = new Connection(load.server.port);
    for (let began = performance.now(); began < end;) {
      await redirected(connection, load.requests[load.sent++ % load.requests.length]);
      const now = performance.now();
      times.push(now - began);
      began = now;
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: connections }, loop));
  return times;
}

/**
 * Sends so many requests a second, whatever the answers do, over at most so many connections, until it has sent `count` or
 * is told to stop. `ended` and `stop()` resolve when all are answered, and fail where an answer was no redirect. `sent`
 * says how many have been answered.
 */
export function openLoop(server, requests, { rate, connections, count = Infinity }) {
  const free = [];
  const began = performance.now();
  const load = { sent: 0, ended: null, stop };
  let [started, ends, failure] = [0, false, null];
  const underWay = new Set();

  function connection() {
    const { connection, since } = free.pop() ?? {};
    if (performance.now() - since < IDLE_MS) return connection;
    connection?.close();
    return new Connection(server.port);
  }

  async function one(connection) {
    await redirected(connection, requests[started++ % requests.length]);
    load.sent += 1;
    free.push({ connection, since: performance.now() });
  }

  async function run() {
    while (!ends && started < count) {
      const due = Math.min(count, Math.floor(((performance.now() - began) * rate) / 1_000));
      while (started < due && underWay.size < connections) {
        const click = one(connection())
          .catch((error) => (failure = error))
          .finally(() => underWay.delete(click));
        underWay.add(click);
      }
      if (failure) break;
      await sleep(Math.max(1, Math.min(20, 500 / rate)));
    }
    await Promise.all(underWay);
    for (const { connection } of free) connection.close();
    if (failure) throw failure;
  }
  load.ended = run();
  // Whoever waits for its end hears of a failure.
  load.ended.catch(() => {});

  function stop() {
    ends = true;
    return load.ended;
  }
  return load;
}

/** Sends a request; what is no redirect ends the benchmark. */
export async function redirected(connection, request) {
  const head = await connection.send(request);
  if (status(head) !== 302) throw new Failure(`Not a redirect:\n${head}`);
}
