// Workers on plain workerd, without the proxies that Miniflare and wrangler put before it: for speed and for volume.
// Durable Objects keep SQLite files, as in production; queues and buckets are the test's own process (platform.mjs).

import { spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
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
import { COURIER, COURIER_FLAGS, NAME_HEADER, startPlatform } from "./platform.mjs";

// The one that Miniflare runs.
const WORKERD = createRequire(createRequire(import.meta.url).resolve("miniflare"))("workerd").default;

const MEMORY = "/dev/shm";

/**
 * Where files are for a while: in memory where the system has a place for it. A disk that others keep busy blocks the whole
 * process for seconds at a commit, and connections that wait so long are closed.
 */
export const TEMP = existsSync(MEMORY) ? MEMORY : os.tmpdir();

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
      ...settings.queues.producers.map(
        ({ binding, queue }) => `(name = ${quote(binding)}, queue = ${quote(queue)})`,
      ),
      ...settings.r2_buckets.map(
        ({ binding, bucket_name }) => `(name = ${quote(binding)}, r2Bucket = ${quote(`r2:${bucket_name}`)})`,
      ),
    ],
    standin: objects && { ...jsWorker(objects), classes },
    platform: {
      queues: [...new Set(settings.queues.producers.map(({ queue }) => queue))],
      buckets: [...new Set(settings.r2_buckets.map(({ bucket_name }) => bucket_name))],
      consumers: settings.queues.consumers,
    },
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
 * The worker may name `entrypoints` of its main module: each is served on a port of its own; and V8's flags.
 *
 * - `logs`: a function that gets each line of its output as it comes; `null` throws the output away
 * - `platform`: the queues and buckets that it shall have, for a runtime that takes another's place; its own without
 * - `state`: the directory of its objects, kept when it ends; in memory and temporary without
 */
export async function startWorkerd(worker, { logs = null, platform: given, state } = {}) {
  const { standin } = worker;
  const platform = given ?? (worker.platform && (await startPlatform(worker.platform)));
  const dir = mkdtempSync(path.join(TEMP, "clickproof-"));
  for (const file of worker.files ?? []) copyFileSync(file, path.join(dir, path.basename(file)));
  const objects = state ?? path.join(dir, "objects");
  mkdirSync(objects, { recursive: true });
  const outside = (name, header) =>
    `(name = ${quote(name)}, external = (address = ${quote(platform.address)}, http = (
      injectRequestHeaders = [(name = ${quote(NAME_HEADER)}, value = ${quote(header)})]))),`;
  const { queues = [], buckets = [] } = worker.platform ?? {};
  const { entrypoints = [], v8Flags = [] } = worker;
  const socket = (name) =>
    `(name = ${quote(name)}, address = "127.0.0.1:0", http = (),
      service = (name = "main", entrypoint = ${quote(name)})),`;
  const courier = {
    ...jsWorker(COURIER),
    bindings: ['(name = "MAIN", service = "main")'],
    flags: COURIER_FLAGS,
  };
  writeFileSync(
    path.join(dir, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      v8Flags = [${v8Flags.map(quote)}],
      services = [
        (name = "main", worker = .main),
        (name = "courier", worker = .courier),
        ${standin ? '(name = "standin", worker = .standin),' : ""}
        ${queues.map((name) => outside(name, name)).join("")}
        ${buckets.map((name) => outside(`r2:${name}`, name)).join("")}
        # Receivers of tests are on this machine.
        (name = "internet", network = (allow = ["private"])),
        (name = "objects", disk = (path = ${quote(objects)}, writable = true)),
      ],
      sockets = [
        (name = "http", address = "127.0.0.1:0", http = (), service = "main"),
        (name = "courier", address = "127.0.0.1:0", http = (), service = "courier"),
        ${entrypoints.map(socket).join("")}
      ],
    );
    const main :Workerd.Worker = ${capnp(worker)};
    const courier :Workerd.Worker = ${capnp(courier)};
    ${standin ? `const standin :Workerd.Worker = ${capnp(standin)};` : ""}\n`,
  );

  const began = performance.now();
  const output = logs ? "pipe" : "ignore";
  // The fourth descriptor is where it says which port it has taken.
  const child = spawn(WORKERD, ["serve", "config.capnp", "--control-fd=3", "--experimental"], {
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
    platform?.attach(null);
    child.kill(signal);
    await exited;
    process.off("exit", kill);
    rmSync(dir, { recursive: true, force: true });
    if (!given) await platform?.close();
  }

  const ports = await listening(child.stdio[3], ["http", "courier", ...entrypoints]);
  if (!ports) {
    await end("SIGKILL");
    throw new Error("workerd ended before it listened");
  }
  const port = ports.get("http");
  platform?.attach(ports.get("courier"));
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    /** Where one of its entrypoints is served. */
    entrypoint: (name) => `http://127.0.0.1:${ports.get(name)}`,
    /** The processor time that it has taken so far, seconds; undefined where the system does not tell. */
    cpuSeconds() {
      const stat = `/proc/${child.pid}/stat`;
      if (!existsSync(stat)) return undefined;
      // The 14th and 15th field, behind a name that may hold anything: user and system time in hundredths.
      const fields = readFileSync(stat, "latin1").split(") ").at(-1).split(" ");
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    /** The memory that it holds, bytes; undefined where the system does not tell. */
    memory: () => memoryOf(child.pid, "VmRSS"),
    /** The most memory that it has held so far. */
    peakMemory: () => memoryOf(child.pid, "VmHWM"),
    /** How many objects it has in memory, by their open files; undefined where the system does not tell. */
    openObjects() {
      const open = `/proc/${child.pid}/fd`;
      if (!existsSync(open)) return undefined;
      return readdirSync(open).filter((fd) => /\/[0-9a-f]{64}\.sqlite$/.test(target(path.join(open, fd))))
        .length;
    },
    /** Its queues and buckets. */
    platform,
    /** When it was started, as `performance.now()` tells it. */
    began,
    /** Whether it is still running. */
    lives: () => child.exitCode === null && child.signalCode === null,
    /** Ends it, once what it has logged has come through. */
    stop: () => end("SIGTERM"),
    close: () => end("SIGKILL"),
  };
}

function capnp({ modules, bindings = [], classes = [], flags = [] }) {
  const namespaces = classes.map(
    (name) => `(className = ${quote(name)}, uniqueKey = ${quote(name)}, enableSql = true)`,
  );
  return `(
    modules = [${modules}],
    compatibilityDate = ${quote(settings.compatibility_date)},
    compatibilityFlags = [${[...settings.compatibility_flags, ...flags].map(quote)}],
    bindings = [${bindings}],
    durableObjectNamespaces = [${namespaces}],
    durableObjectStorage = (localDisk = "objects"),
  )`;
}

/** The port of each of these sockets, once all are listening; null where it ends before. */
async function listening(control, sockets) {
  const ports = new Map();
  for await (const line of createInterface({ input: control })) {
    const { event, socket, port } = JSON.parse(line);
    if (event === "listen") ports.set(socket, port);
    if (sockets.every((name) => ports.has(name))) return ports;
  }
  return null;
}

/** A line of what the system says of a process's memory, bytes. */
function memoryOf(pid, name) {
  const status = `/proc/${pid}/status`;
  if (!existsSync(status)) return undefined;
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync(status, "latin1"))[1]) * 1024;
}

/** What a link leads to; nothing where it is gone. */
function target(link) {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}

/** Text as Cap'n Proto writes it: JSON's escapes for what is ASCII. */
function quote(text) {
  return JSON.stringify(text);
}
