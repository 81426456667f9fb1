// The built worker on the real runtime (workerd), for tests: under Miniflare's API with everything observable, or
// as `wrangler dev` in a process group of its own that can be killed as a crash would.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import {
  unstable_getMiniflareWorkerOptions as workerOptions,
  unstable_readConfig as readConfig,
} from "wrangler";
import { output as outputOf, root } from "../../src/dev/run.mjs";
import { wranglerDev, wranglerEnv } from "../../src/dev/wrangler.mjs";

export const API_TOKEN = "test-api-token-0001";
export const LINK_KEYS = `k1:${Buffer.alloc(32, 7).toString("base64")}`;

/** What /healthz says when all is well. */
export const WELL = `ok ${JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")).version}`;

const BUILD = path.join(root, "build");

/** The build's modules. */
const BUILT = [
  { type: "ESModule", path: path.join(BUILD, "index.js") },
  { type: "CompiledWasm", path: path.join(BUILD, "index_bg.wasm") },
];
const EVENTS_QUEUE = "clickproof-events";
const CLICKS_PAGE = 10_000;

// Shows tests the bucket, over HTTP. Miniflare's own view of it blocks node while it reads; a worker that fills the
// pipe of its log meanwhile would wait for node, and node for it.
const ARCHIVIST = "archivist.test";
const ARCHIVIST_SCRIPT = `export default {
  async fetch(request, { ARCHIVE }) {
    if (request.method === "POST") {
      await ARCHIVE.delete(await request.json());
      return new Response();
    }
    const found = [];
    for (let page = { truncated: true }; page.truncated; ) {
      page = await ARCHIVE.list({ cursor: page.cursor });
      for (const { key } of page.objects) {
        const object = await ARCHIVE.get(key);
        if (!object) continue;
        const { httpMetadata: { contentType }, uploaded } = object;
        found.push([key, { text: await object.text(), contentType, uploaded: uploaded.getTime() }]);
      }
    }
    return Response.json(found);
  },
}`;

/**
 * Calls `fn` until what it returns (or resolves to) is truthy, and returns that. The time-out is for what never comes,
 * however slow the machine.
 */
export async function until(fn, { timeout = 60_000, every = 20, what = "the condition" } = {}) {
  for (const end = Date.now() + timeout; ; await sleep(every)) {
    const result = await fn();
    if (result) return result;
    if (Date.now() > end) throw new Error(`${what} did not come true in ${timeout} ms`);
  }
}

// Miniflare 5 takes its options in the shape of version 4 by this alone, as wrangler does.
function miniflare(options) {
  return new Miniflare(convertV4MiniflareOptions(options));
}

/** What a module needs that stands before the built worker and imports it as `./index.js`: to be spread into `worker`. */
export const behind = (contents) => ({
  modulesRoot: BUILD,
  modules: [{ type: "ESModule", path: path.join(BUILD, "before.js"), contents }, ...BUILT],
});

/**
 * Starts the worker with wrangler.toml's settings and bindings.
 *
 * - `vars`: settings and secrets, over wrangler.toml's; `undefined` removes one
 * - `persist`: a directory for its state, kept when it closes; in memory and temporary without
 * - `port`: any free one without
 * - `site`: a directory of static files, in place of static/site
 * - `queueConsumers`: per queue name, over the tests' quick batches
 * - `worker`: Miniflare worker options over all others, e.g. `{ r2Buckets: {} }` for a missing binding
 * - `workers`: further workers, as Miniflare takes them
 */
export async function startWorker({
  vars = {},
  persist,
  port = 0,
  site,
  queueConsumers = {},
  worker = {},
  workers = [],
} = {}) {
  const config = readConfig({ config: path.join(root, "wrangler.toml") }, { hideWarnings: true });
  const logs = [];
  const output = [];
  const mf = miniflare({
    host: "127.0.0.1",
    port,
    // The visitor's network is what a test says it is, never what a look-up on the network says.
    cf: false,
    resourcePersistencePath: persist,
    handleStructuredLogs({ level, message }) {
      output.push({ level, message });
      keepJson(logs, message);
    },
    workers: [
      {
        name: config.name,
        modulesRoot: BUILD,
        modules: BUILT,
        compatibilityDate: config.compatibility_date,
        compatibilityFlags: config.compatibility_flags,
        assets: { ...workerOptions(config).workerOptions.assets, ...defined({ directory: site }) },
        bindings: defined({ LINK_KEYS, API_TOKEN, ...config.vars, ...vars }),
        durableObjects: Object.fromEntries(
          config.durable_objects.bindings.map(({ name, class_name }) => [
            name,
            { className: class_name, useSQLite: true },
          ]),
        ),
        queueProducers: Object.fromEntries(
          config.queues.producers.map(({ binding, queue }) => [binding, { queueName: queue }]),
        ),
        queueConsumers: Object.fromEntries(
          config.queues.consumers.map((consumer) => [
            consumer.queue,
            { ...quickConsumer(consumer), ...queueConsumers[consumer.queue] },
          ]),
        ),
        r2Buckets: Object.fromEntries(
          config.r2_buckets.map(({ binding, bucket_name }) => [binding, bucket_name]),
        ),
        ...worker,
      },
      {
        name: ARCHIVIST,
        modules: true,
        compatibilityDate: config.compatibility_date,
        script: ARCHIVIST_SCRIPT,
        routes: [`${ARCHIVIST}/*`],
        r2Buckets: Object.fromEntries(config.r2_buckets.map(({ bucket_name }) => ["ARCHIVE", bucket_name])),
      },
      ...workers,
    ],
  });
  const origin = (await mf.ready).origin;

  const archive = (init) =>
    request(origin, { ...init, headers: { "MF-Original-URL": `http://${ARCHIVIST}/` } });
  /** The objects in R2 under a prefix as a map from key to `{ text, contentType, uploaded }`. */
  async function r2Objects(prefix = "events/") {
    const entries = JSON.parse(await (await archive()).text());
    return new Map(entries.filter(([key]) => key.startsWith(prefix)));
  }

  return {
    mf,
    ...client(origin, vars.API_TOKEN ?? API_TOKEN),
    /** The JSON lines that the worker has logged, parsed, oldest first. */
    logs,
    /** Everything that it has logged, as `{ level, message }`. */
    output,
    /** The first JSON log line, past or to come, for which the predicate holds. */
    waitForLog: (predicate, options) =>
      until(() => logs.find(predicate), { what: "the log line", ...options }),
    r2Objects,
    /** Takes objects out of R2, as a loss would. */
    r2Delete: (keys) => archive({ method: "POST", body: JSON.stringify([...keys]) }),
    /** Every event in R2, parsed, each with its object's key as `{ key, event }`. */
    async r2Events(prefix) {
      const lines = [...(await r2Objects(prefix))].flatMap(([key, { text }]) =>
        text.split("\n").map((line) => ({ key, line })),
      );
      return lines.filter(({ line }) => line).map(({ key, line }) => ({ key, event: JSON.parse(line) }));
    },
    /** Ends it by kill -9, as a crash would. */
    close: () => mf.dispose(),
  };
}

// Batches go out at once, a message that fails comes back soon. The dead-letter queue keeps a second's pause: with
// none, a hundred tries would be over in the blink of an eye.
function quickConsumer({ queue, max_batch_size, max_retries, dead_letter_queue }) {
  return {
    maxBatchSize: max_batch_size,
    maxBatchTimeout: 0.1,
    maxRetries: max_retries,
    retryDelay: queue === EVENTS_QUEUE ? 0 : 1,
    deadLetterQueue: dead_letter_queue,
  };
}

/**
 * Starts `wrangler dev` as `npm start` does, as a process group of its own.
 *
 * - `stateDir`: its state; pass it to a second start to go on with it. The caller removes it
 * - `port`: the same again after a kill, any free one without
 * - `vars`: settings and secrets, as strings and over wrangler.toml's, as .dev.vars would hold them
 */
export async function startWrangler({ stateDir, port, vars = {} } = {}) {
  port ??= await freePort();
  const temp = mkdtempSync(path.join(os.tmpdir(), "clickproof-"));
  const envFile = path.join(temp, "vars");
  const settings = Object.entries(defined({ LINK_KEYS, API_TOKEN, ...vars }));
  writeFileSync(envFile, settings.map(([name, value]) => `${name}='${value}'\n`).join(""));

  const child = spawn(
    process.execPath,
    // In place of .dev.vars: a developer's own settings are none of a test's business.
    wranglerDev({ port, stateDir: stateDir ?? path.join(temp, "state"), args: [`--env-file=${envFile}`] }),
    { cwd: root, detached: true, env: wranglerEnv, stdio: ["ignore", "pipe", "pipe"] },
  );
  const logs = [];
  const output = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      output.push(line);
      keepJson(logs, line);
    });
  }
  // A test runner that is interrupted takes the group with it.
  const killGroup = () => signalGroup(child.pid, "SIGKILL");
  process.once("exit", killGroup);

  async function end(signal) {
    signalGroup(child.pid, signal);
    await until(() => !groupLives(child.pid), {
      what: `the end of wrangler's process group by ${signal}`,
    });
    process.off("exit", killGroup);
    rmSync(temp, { recursive: true, force: true });
  }

  const origin = `http://127.0.0.1:${port}`;
  try {
    const answers = () => request(`${origin}/healthz`).catch(() => null);
    await until(() => child.exitCode !== null || answers(), {
      timeout: 60_000,
      every: 100,
      what: "wrangler's answer",
    });
    if (child.exitCode !== null) throw new Error(`wrangler dev ended with ${child.exitCode}`);
  } catch (error) {
    await end("SIGKILL");
    throw new Error(`${error.message}:\n${output.join("\n")}`);
  }
  return {
    ...client(origin, vars.API_TOKEN ?? API_TOKEN),
    port,
    logs,
    /** The lines that wrangler has printed, the worker's among them. */
    output,
    waitForLog: waitIn(logs),
    /** As a crash: kill -9 on every process of the group, workerd too; resolves when none is left. */
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
  };
}

// What has ended stays in its group until init has reaped it. Some inits take seconds for that, some never do it.
function groupLives(group) {
  if (!signalGroup(group, 0)) return false;
  const processes = outputOf("ps", ["-A", "-o", "pgid=,stat="])?.split("\n");
  const lives = ([pgid, state]) => Number(pgid) === group && !state.startsWith("Z");
  return processes?.some((line) => lives(line.trim().split(/\s+/))) ?? true;
}

/** True when a process of the group was there to take the signal. */
function signalGroup(group, signal) {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
    return false;
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

/** What a test asks a worker at that origin. */
export function client(origin, apiToken = API_TOKEN) {
  const at = (path) => origin + path;
  const api = (path, { body, headers, ...init } = {}) =>
    request(at(path), {
      ...init,
      body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
      headers: { Authorization: `Bearer ${apiToken}`, ...headers },
    });
  return {
    origin,
    /** A request for a path, with these headers and no others; `path` in `init` goes out as it is, not normalised. */
    request: (path, init) => request(at(path), init),
    /** A request with the API token; an object as body becomes JSON. */
    api,
    /** Mints links: the body of POST /v1/links in, its answer out. */
    async mint(body) {
      const response = await api("/v1/links", { method: "POST", body });
      const text = await response.text();
      if (response.status !== 200) throw new Error(`POST /v1/links: ${response.status} ${text}`);
      return JSON.parse(text);
    },
    /** Every click of a message, oldest first, as the API lists them. */
    async clicks(message_id) {
      const all = [];
      for (let page = null; page === null || page.length === CLICKS_PAGE;) {
        const after = page === null ? "" : `&after=${page.at(-1).event_id}`;
        const path = `/v1/messages/${encodeURIComponent(message_id)}/clicks?limit=${CLICKS_PAGE}${after}`;
        const response = await api(path);
        const text = await response.text();
        if (response.status !== 200) throw new Error(`GET ${path}: ${response.status} ${text}`);
        page = text
          .split("\n")
          .filter(Boolean)
          .map((line) => JSON.parse(line));
        all.push(...page);
      }
      return all;
    },
    /** Opens a token, a path or a minted href as a visitor of that network would. */
    click: (link, { ip = "192.0.2.1", asn, country, headers, ...init } = {}) =>
      request(at(clickPath(link)), {
        ...init,
        headers: {
          "CF-Connecting-IP": ip,
          // The last field keeps the local runtime from compressing for a client that never asked.
          "MF-CF-Blob": JSON.stringify({ asn, country, clientAcceptEncoding: "" }),
          ...headers,
        },
      }),
  };
}

function clickPath(link) {
  if (/^https?:/.test(link)) return link.replace(/^https?:\/\/[^/]+/, "");
  return link.startsWith("/") ? link : `/c/${link}`;
}

/**
 * A request with exactly these headers, answered by a `Response` and never redirected. (`fetch` sends headers of its
 * own, Sec-Fetch-Mode and Accept-Language among them, and those are evidence here.)
 */
function request(url, { method = "GET", headers = {}, body, path } = {}) {
  return new Promise((resolve, reject) => {
    const outgoing = http.request(
      url,
      { method, headers: defined(headers), agent: false, ...defined({ path }) },
      async (incoming) => {
        try {
          const chunks = await incoming.toArray();
          const answer = new Headers();
          for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
            answer.append(incoming.rawHeaders[i], incoming.rawHeaders[i + 1]);
          }
          const status = incoming.statusCode;
          const bodiless = method === "HEAD" || [204, 205, 304].includes(status);
          resolve(new Response(bodiless ? null : Buffer.concat(chunks), { status, headers: answer }));
        } catch (error) {
          reject(error);
        }
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function defined(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

function keepJson(logs, line) {
  if (!line.startsWith("{")) return;
  try {
    logs.push(JSON.parse(line));
  } catch {
    // Not one of the worker's own lines.
  }
}

function waitIn(logs) {
  return (predicate, options) => until(() => logs.find(predicate), { what: "the log line", ...options });
}
