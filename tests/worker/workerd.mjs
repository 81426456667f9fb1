// Workers on plain workerd, without the proxies that Miniflare and wrangler put before it: for speed and for volume.
// Durable Objects keep SQLite files, as in production; queue and R2 bindings lead to a worker that takes
// everything and keeps nothing.

import { spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { unstable_readConfig as readConfig } from "wrangler";
import { root } from "../../src/dev/run.mjs";
import { API_TOKEN, LINK_KEYS } from "./harness.mjs";

// The one that Miniflare runs.
const WORKERD = createRequire(createRequire(import.meta.url).resolve("miniflare"))("workerd").default;

// In memory where the system has a place for it. A disk that others keep busy blocks the whole process for seconds at
// a commit, and connections that wait so long are closed.
const MEMORY = "/dev/shm";
const TEMP = existsSync(MEMORY) ? MEMORY : os.tmpdir();

// Answers a queue's send as the platform does.
const SINK = `const metadata = { metrics: { backlogCount: 0, backlogBytes: 0 } };
  export default { fetch: () => Response.json({ metadata }) };`;

const settings = readConfig({ config: path.join(root, "wrangler.toml") }, { hideWarnings: true });

/**
 * The built worker with wrangler.toml's settings and bindings.
 *
 * - `vars`: over its settings
 * - `objects`: a JavaScript module with a class for each of its Durable Objects, to stand in for its own
 */
export function clickproof({ vars = {}, objects } = {}) {
  const merged = { LINK_KEYS, API_TOKEN, ...settings.vars, ...vars };
  const { bindings } = settings.durable_objects;
  const namespace = (name) =>
    objects ? `(className = ${quote(name)}, serviceName = "standin")` : quote(name);
  const classes = bindings.map(({ class_name }) => class_name);
  return {
    ...rustWorker(path.join(root, "build"), objects ? {} : { classes }),
    bindings: [
      ...Object.entries(merged).map(([name, value]) =>
        typeof value === "string"
          ? `(name = ${quote(name)}, text = ${quote(value)})`
          : `(name = ${quote(name)}, json = ${quote(JSON.stringify(value))})`,
      ),
      ...bindings.map(
        ({ name, class_name }) =>
          `(name = ${quote(name)}, durableObjectNamespace = ${namespace(class_name)})`,
      ),
      ...settings.queues.producers.map(({ binding }) => `(name = ${quote(binding)}, queue = "sink")`),
      ...settings.r2_buckets.map(({ binding }) => `(name = ${quote(binding)}, r2Bucket = "sink")`),
    ],
    standin: objects && { ...jsWorker(objects), classes },
  };
}

/** A worker that worker-build has built into that directory, with these classes bound under their own names. */
export function rustWorker(dir, { classes = [] } = {}) {
  return {
    files: [path.join(dir, "index.js"), path.join(dir, "index_bg.wasm")],
    modules: `(name = "index.js", esModule = embed "index.js"),
      (name = "index_bg.wasm", wasm = embed "index_bg.wasm"),`,
    classes,
    bindings: classes.map((name) => `(name = ${quote(name)}, durableObjectNamespace = ${quote(name)})`),
  };
}

/** A worker of one JavaScript module. */
export function jsWorker(source) {
  return { modules: `(name = "index.js", esModule = ${quote(source)}),` };
}

/**
 * Starts workerd with one worker.
 *
 * - `logs`: a function that gets each line of its output as it comes; `null` throws the output away
 */
export async function startWorkerd(worker, { logs = null } = {}) {
  const { standin } = worker;
  const dir = mkdtempSync(path.join(TEMP, "clickproof-"));
  for (const file of worker.files ?? []) copyFileSync(file, path.join(dir, path.basename(file)));
  mkdirSync(path.join(dir, "objects"));
  writeFileSync(
    path.join(dir, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      services = [
        (name = "main", worker = .main),
        ${standin ? '(name = "standin", worker = .standin),' : ""}
        (name = "sink", worker = .sink),
        (name = "objects", disk = (path = ${quote(path.join(dir, "objects"))}, writable = true)),
      ],
      sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
    );
    const main :Workerd.Worker = ${capnp(worker)};
    ${standin ? `const standin :Workerd.Worker = ${capnp(standin)};` : ""}
    const sink :Workerd.Worker = ${capnp(jsWorker(SINK))};\n`,
  );

  const began = performance.now();
  const output = logs ? "pipe" : "ignore";
  // The fourth descriptor is where it says which port it has taken.
  const child = spawn(WORKERD, ["serve", "config.capnp", "--control-fd=3"], {
    cwd: dir,
    stdio: ["ignore", output, logs ? "pipe" : "inherit", "pipe"],
  });
  const exited = new Promise((resolve) => child.once("close", resolve));
  if (logs) {
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", logs);
  }
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);

  async function end(signal) {
    child.kill(signal);
    await exited;
    process.off("exit", kill);
    rmSync(dir, { recursive: true, force: true });
  }

  const port = await listening(child.stdio[3]);
  if (!port) {
    await end("SIGKILL");
    throw new Error("workerd ended before it listened");
  }
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    /** The processor time that it has taken so far, seconds; undefined where the system does not tell. */
    cpuSeconds() {
      const stat = `/proc/${child.pid}/stat`;
      if (!existsSync(stat)) return undefined;
      // The 14th and 15th field, behind a name that may hold anything: user and system time in hundredths.
      const fields = readFileSync(stat, "latin1").split(") ").at(-1).split(" ");
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    /** When it was started, as `performance.now()` tells it. */
    began,
    /** Whether it is still running. */
    lives: () => child.exitCode === null && child.signalCode === null,
    /** Ends it, once what it has logged has come through. */
    stop: () => end("SIGTERM"),
    close: () => end("SIGKILL"),
  };
}

function capnp({ modules, bindings = [], classes = [] }) {
  const namespaces = classes.map(
    (name) => `(className = ${quote(name)}, uniqueKey = ${quote(name)}, enableSql = true)`,
  );
  return `(
    modules = [${modules}],
    compatibilityDate = ${quote(settings.compatibility_date)},
    compatibilityFlags = [${settings.compatibility_flags.map(quote)}],
    bindings = [${bindings}],
    durableObjectNamespaces = [${namespaces}],
    durableObjectStorage = (localDisk = "objects"),
  )`;
}

async function listening(control) {
  for await (const line of createInterface({ input: control })) {
    const { event, port } = JSON.parse(line);
    if (event === "listen") return port;
  }
  return null;
}

/** Text as Cap'n Proto writes it: JSON's escapes for what is ASCII. */
function quote(text) {
  return JSON.stringify(text);
}
