// `npm test`: sets up what is missing and runs every stage, or those named: `npm test -- native worker`.
// A stage that fails does not keep the others from running. The summary stands above the last runner's own closing
// lines, so that these end the output.

import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { FIREFOX, WEBKIT } from "./browsers.mjs";
import { build } from "./build.mjs";
import { ensureChromium } from "./chromium.mjs";
import { GO, PHP, PYTHON, RUBY } from "./languages.mjs";
import { ensureNpmPackages, npmBin } from "./npm.mjs";
import { ensureOptional } from "./optional.mjs";
import { Failure, main, root, show, start } from "./run.mjs";
import { ensureLinters, ensureRust, ensureWasmTarget } from "./rust.mjs";

const AGENTS = "tests/agents";
const MAIL = "tests/mail";
const MINTERS = "tests/minters";
const DOCS = "tests/docs";
const SQL = "tests/sql";
const WORKER = "tests/worker";
const BROWSER = "tests/browser";
const STAGES = { lint, native, worker, browser };
// These tests wait more than they compute: for windows to close, batches to leave, pages to load.
const FILES_AT_ONCE = 4;

await main(async () => {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !(name in STAGES));
  if (unknown) throw new Failure(`There is no stage "${unknown}": ${Object.keys(STAGES).join(", ")}.`);
  const all = Object.keys(STAGES).filter((name) => name !== "browser" || testFiles(BROWSER).length > 0);
  const chosen = names.length > 0 ? all.filter((name) => names.includes(name)) : all;

  const results = [];
  let closing = [];
  for (const name of chosen) {
    console.log([...closing, `\n=== ${name}\n`].join("\n"));
    const began = Date.now();
    let outcome;
    closing = [];
    try {
      ({ outcome, closing = [] } = await STAGES[name]());
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      console.error(error.message);
      outcome = "failed";
    }
    results.push({ name, outcome, seconds: (Date.now() - began) / 1000 });
  }

  console.log("\n=== summary\n");
  for (const { name, outcome, seconds } of results) {
    console.log(`${name.padEnd(8)} ${outcome.padEnd(14)} ${seconds.toFixed(1).padStart(7)} s`);
  }
  if (closing.length > 0) console.log(["", ...closing].join("\n"));
  if (results.some(({ outcome }) => outcome === "failed")) process.exitCode = 1;
});

async function lint() {
  await ensureRust();
  await ensureNpmPackages();
  await ensureLinters();
  await ensureWasmTarget();
  const clippy = (...args) => ["cargo", ["clippy", ...args, "--", "-D", "warnings"]];
  return runAll(
    [
      npmBin("prettier"),
      ["--check", "package.json", "README.md", "{src,static,tests}/**/*.{css,html,js,md,mjs}"],
    ],
    ["cargo", ["fmt", "--check"]],
    clippy("--all-targets"),
    clippy("--lib", "--target", "wasm32-unknown-unknown"),
  );
}

async function native() {
  await ensureRust();
  // The corpora of the agents' tests, and the engines that speak SQL. Mail servers come with their tests.
  await ensureNpmPackages();
  await ensureOptional(PYTHON, PHP, RUBY, GO);
  const files = [AGENTS, MAIL, MINTERS, SQL].flatMap(testFiles);
  return runAll(
    ["cargo", ["test", "--no-fail-fast"]],
    [process.execPath, ["--test", "--test-reporter=spec", ...files]],
  );
}

async function worker() {
  return nodeTests([WORKER, DOCS], process.env);
}

async function browser() {
  const env = { ...process.env, CHROMIUM_BIN: await ensureChromium() };
  await ensureOptional(FIREFOX, WEBKIT);
  return nodeTests([BROWSER], env);
}

async function runAll(...commands) {
  let outcome = "passed";
  for (const [command, args] of commands) {
    if ((await show(command, args)) !== 0) outcome = "failed";
  }
  return { outcome };
}

function testFiles(dir) {
  const at = path.join(root, dir);
  if (!existsSync(at)) return [];
  return readdirSync(at)
    .filter((name) => name.endsWith(".test.mjs"))
    .map((name) => path.join(dir, name));
}

/** Runs node's test runner on the built worker, its output shown but for the closing lines, which are returned. */
async function nodeTests(dirs, env) {
  await build();
  const atOnce = `--test-concurrency=${FILES_AT_ONCE}`;
  const args = ["--test", "--test-reporter=spec", atOnce, ...dirs.flatMap(testFiles)];
  if (process.stdout.isTTY) env = { ...env, FORCE_COLOR: "1" };
  const child = start(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  const closing = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (closing.length > 0 || /^(\x1b\[\d+m)*ℹ tests \d+/.test(line)) closing.push(line);
    else console.log(line);
  }
  return { outcome: (await child.exited) === 0 ? "passed" : "failed", closing };
}
