// Child processes for the scripts here: slow steps show that they live and how long they take, a failure shows
// the tool's own last words and one line that says what to do, and a signal reaches every child.

import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** A failure that the message explains: shown without a stack trace. */
export class Failure extends Error {}

const children = new Set();
let stopping = false;

/** Runs a script's main function; a failure ends the process with status 1. */
export async function main(fn) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop(signal));
  try {
    await fn();
  } catch (error) {
    if (stopping) return;
    console.error(error instanceof Failure ? error.message : error);
    process.exitCode = 1;
  }
}

/** True when the module of this `import.meta.url` is the script that node was started with. */
export function isScript(url) {
  return Boolean(process.argv[1]) && path.resolve(process.argv[1]) === fileURLToPath(url);
}

// A terminal's Ctrl-C has already reached the children, a `kill` of this process alone has not: passing the signal
// on serves both. What has not ended ten seconds later is killed.
function stop(signal) {
  if (stopping) return;
  stopping = true;
  process.exitCode = 128 + os.constants.signals[signal];
  if (children.size === 0) process.exit();
  for (const child of children) {
    child.on("exit", () => children.size === 0 && process.exit());
    child.kill(signal);
  }
  setTimeout(() => {
    for (const pid of descendants(process.pid)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
    process.exit();
  }, 10_000);
}

// wrangler's own children, workerd among them, outlive a killed wrangler: they have to be named one by one.
function descendants(pid) {
  const family = (output("ps", ["-A", "-o", "ppid=,pid="]) ?? "")
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  const below = (parent) =>
    family
      .filter(([ppid]) => Number(ppid) === parent)
      .flatMap(([, child]) => [Number(child), ...below(Number(child))]);
  return below(pid);
}

/** `spawn` whose child gets this process's signals. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { cwd: root, stdio: "inherit", ...options });
  children.add(child);
  child.exited = new Promise((resolve, reject) => {
    child.on("error", (error) => {
      children.delete(child);
      reject(new Failure(`${command} does not start: ${error.message}`));
    });
    child.on("close", (code, signal) => {
      children.delete(child);
      resolve(code ?? signal);
    });
    child.on("exit", () => children.delete(child));
  });
  return child;
}

/** Runs a command with its output shown; resolves with its exit code. */
export function show(command, args, options) {
  return start(command, args, options).exited;
}

/** What a command prints, trimmed, or null when it is missing or fails. */
export function output(command, args) {
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  return result.status === 0 ? result.stdout.trim() : null;
}

/** The first of these programs on PATH, as an absolute path, or null. */
export function which(...names) {
  for (const name of names) {
    for (const dir of (process.env.PATH ?? "").split(path.delimiter)) {
      const file = path.join(dir, name);
      try {
        accessSync(file, constants.X_OK);
        if (dir && statSync(file).isFile()) return file;
      } catch {
        // Not in this directory: look in the next one.
      }
    }
  }
  return null;
}

const LINES_KEPT = 20;
const SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

// What the steps at work show: those that run side by side share a terminal's line.
const shown = new Set();
let drawing = null;
let turn = 0;

/**
 * Runs a slow command quietly. `what` says what it does and `usually` how long that takes; a terminal sees a
 * spinner, a log one line every 20 seconds. `advice` is the line for the case that it fails.
 */
export async function step(what, usually, command, args, { advice, ...options } = {}) {
  const began = Date.now();
  const tty = process.stderr.isTTY;
  const last = [];
  const seconds = () => Math.round((Date.now() - began) / 1000);
  const current = () => last.at(-1) ?? "";
  const line = () => `${what} (${usually}) ${seconds()} s  ${current()}`;
  const report = () => console.error(`  ${what}: ${seconds()} s so far: ${current()}`);

  if (!tty) console.error(`${what} (${usually})`);
  const timer = tty ? null : setInterval(report, 20_000);
  if (tty) draw(line);
  let code;
  try {
    const child = start(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) {
      let rest = "";
      stream.setEncoding("utf8").on("data", (text) => {
        const lines = (rest + text).split(/[\r\n]+/);
        rest = lines.pop();
        last.push(...lines.map((line) => line.trim()).filter(Boolean));
        last.splice(0, last.length - LINES_KEPT);
      });
      stream.on("end", () => rest.trim() && last.push(rest.trim()));
    }
    code = await child.exited;
  } finally {
    clearInterval(timer);
    if (tty) undraw(line);
  }
  if (code !== 0) {
    throw new Failure([...last, "", `${what}: failed (${code}). ${advice ?? ""}`.trim()].join("\n"));
  }
  console.error(`${tty ? "✓ " : "  "}${what}: done in ${seconds()} s`);
}

function draw(line) {
  shown.add(line);
  drawing ??= setInterval(() => {
    const width = Math.floor(((process.stderr.columns ?? 80) - 2) / shown.size) - 1;
    const parts = [...shown].map((line) => line().slice(0, width).padEnd(width));
    process.stderr.write(`\r\x1b[K${SPINNER[turn++ % SPINNER.length]} ${parts.join(" ").trimEnd()}`);
  }, 120);
}

function undraw(line) {
  shown.delete(line);
  process.stderr.write("\r\x1b[K");
  if (shown.size > 0) return;
  clearInterval(drawing);
  drawing = null;
}

/** Waits for all of these; the first that has failed is told when the others have ended too. */
export async function together(...promises) {
  const results = await Promise.allSettled(promises);
  const failed = results.find(({ status }) => status === "rejected");
  if (failed) throw failed.reason;
}
