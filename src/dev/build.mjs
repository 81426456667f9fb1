// `npm run build`, which is wrangler's build command too: sets up what the build needs and makes the release build,
// build/index.js and build/index_bg.wasm.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { ensureNpmPackages, npmBin } from "./npm.mjs";
import { Failure, isScript, main, output, root, show, step, together } from "./run.mjs";
import { buildTools, compileBuildTools, ensureRust, ensureWasmTarget } from "./rust.mjs";

const WASM = path.join(root, "build/index_bg.wasm");
const OUTPUTS = [path.join(root, "build/index.js"), WASM];
const STAMP = path.join(root, "build/.stamp");

const CARGO_BUILD = ["build", "--lib", "--release", "--target", "wasm32-unknown-unknown"];
// worker-build sets it for its own cargo build: the same here, or each would undo the other's work.
const CARGO_ENV = { ...process.env, WASM_BINDGEN_USE_JS_SYS: "1" };

/** Makes the release build; fast when nothing has changed. */
export async function build() {
  const { workerBuild, env } = await setUp();

  // Cargo knows what has changed. What comes after it (wasm-bindgen, wasm-opt, esbuild) always takes seconds, so it
  // is left out when cargo's wasm, the tools and the finished build are those of the last time.
  if ((await show("cargo", CARGO_BUILD, { env })) !== 0) throw new Failure("The crate does not compile.");
  const target = targetDirectory();
  const inputs = [
    path.join(target, "wasm32-unknown-unknown/release/clickproof.wasm"),
    path.join(root, "package-lock.json"),
  ];
  const tools = [workerBuild, env.WASM_BINDGEN_BIN, env.WASM_OPT_BIN, env.ESBUILD_BIN];
  const stamp = () => fingerprint([...inputs, ...OUTPUTS], tools);

  if (existsSync(STAMP) && OUTPUTS.every(existsSync) && readFileSync(STAMP, "utf8") === stamp()) {
    console.log(`build/ is up to date: ${sizes()}`);
    return;
  }
  rmSync(STAMP, { force: true });
  if ((await show(workerBuild, ["--release"], { env })) !== 0) throw new Failure("worker-build failed.");
  writeFileSync(STAMP, stamp());
  console.log(`build/index_bg.wasm: ${sizes()}`);
}

/** Builds a crate of its own with the same tools; returns the directory of its index.js and index_bg.wasm. */
export async function buildWorker(crate) {
  const { workerBuild, env } = await setUp();
  const target = path.join(targetDirectory(), path.basename(crate));
  const built = path.join(target, "worker");
  const options = { cwd: crate, env: { ...env, CARGO_TARGET_DIR: target } };
  if ((await show(workerBuild, ["--release", `--out-dir=${built}`, "."], options)) !== 0) {
    throw new Failure(`worker-build failed for ${crate}.`);
  }
  return built;
}

async function setUp() {
  await ensureRust();
  await ensureWasmTarget();
  if (buildTools()) {
    await ensureNpmPackages();
  } else {
    // The crate beside them: what takes minutes takes every processor from the start.
    await together(ensureNpmPackages(), compileBuildTools(), compileCrate());
  }
  const { workerBuild, wasmBindgen } = buildTools();
  const env = {
    ...CARGO_ENV,
    WASM_BINDGEN_BIN: wasmBindgen,
    WASM_OPT_BIN: process.env.WASM_OPT_BIN || npmBin("wasm-opt"),
    ESBUILD_BIN: process.env.ESBUILD_BIN || npmBin("esbuild"),
  };
  return { workerBuild, env };
}

/** Compiles the crate quietly; where it does not compile, the build itself says why. */
async function compileCrate() {
  try {
    await step("Compiling the crate", "once, usually 1 min", "cargo", CARGO_BUILD, { env: CARGO_ENV });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}

function targetDirectory() {
  const metadata = output("cargo", ["metadata", "--format-version", "1", "--no-deps", "--offline"]);
  return JSON.parse(metadata).target_directory;
}

function fingerprint(files, words) {
  const hash = createHash("sha256").update(JSON.stringify(words));
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest("hex");
}

function sizes() {
  const wasm = readFileSync(WASM);
  const kb = (bytes) => `${(bytes / 1000).toFixed(0)} kB`;
  return `${kb(wasm.length)} of wasm, ${kb(gzipSync(wasm, { level: 9 }).length)} gzipped`;
}

if (isScript(import.meta.url)) await main(build);
