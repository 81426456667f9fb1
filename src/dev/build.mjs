// `npm run build`, which is wrangler's build command too: sets up what the build needs and makes the release build,
// build/index.js and build/index_bg.wasm.
//
// The steps are worker-build's, without its entry: that stands two proxies before every call, a seventh of what a bare
// redirect costs, and keeps the names of all functions in the wasm, an eighth of its size.

import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { ensureNpmPackages, npmBin } from "./npm.mjs";
import { Failure, isScript, main, output, root, show, step, together } from "./run.mjs";
import { named } from "./order.mjs";
import { buildTools, compileBuildTools, ensureRust, ensureWasmTarget } from "./rust.mjs";

const SCRIPT = path.join(root, "build/index.js");
const WASM = path.join(root, "build/index_bg.wasm");
const OUTPUTS = [SCRIPT, WASM];
const STAMP = path.join(root, "build/.stamp");
const ENTRY = path.join(root, "src/edge/entry.mjs");

const CARGO_BUILD = ["build", "--lib", "--profile=wasm", "--target=wasm32-unknown-unknown"];
const CARGO_ENV = {
  ...process.env,
  // worker-build sets it for its own cargo build: the same here, or each would undo the other's work.
  WASM_BINDGEN_USE_JS_SYS: "1",
  // Between 5, what "z" takes by itself, and 80: that is 22 kB gzipped more than 5, and takes a fifteenth off a click's processor
  // time.
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: "-Cllvm-args=-inline-threshold=25",
};

/** Makes the release build; fast when nothing has changed. */
export async function build() {
  const { workerBuild, env } = await setUp();

  // Cargo knows what has changed. What comes after it always takes seconds, so it is left out when cargo's wasm, the
  // tools and the finished build are those of the last time.
  if ((await show("cargo", CARGO_BUILD, { env })) !== 0) throw new Failure("The crate does not compile.");
  const compiled = path.join(targetDirectory(), "wasm32-unknown-unknown/wasm/clickproof.wasm");
  const inputs = [compiled, ...scripts(), path.join(root, "package-lock.json")];
  const tools = [env.WASM_BINDGEN_BIN, env.WASM_OPT_BIN, env.ESBUILD_BIN];
  const stamp = () => fingerprint([...inputs, ...OUTPUTS], tools);

  if (existsSync(STAMP) && OUTPUTS.every(existsSync) && readFileSync(STAMP, "utf8") === stamp()) {
    console.log(`build/ is up to date: ${sizes()}`);
    return;
  }
  rmSync(STAMP, { force: true });
  await bind(compiled, env);
  writeFileSync(STAMP, stamp());
  console.log(`build/index_bg.wasm: ${sizes()}`);
}

/** From cargo's wasm to the two outputs. */
async function bind(compiled, env) {
  const run = async (command, args) => {
    if ((await show(command, args, { env })) !== 0) throw new Failure(`${path.basename(command)} failed.`);
  };
  // A directory of this run's own: another may build at the same time.
  mkdirSync(path.join(root, "build"), { recursive: true });
  const staged = mkdtempSync(path.join(root, "build/.staged-"));
  // After a panic the glue makes a new instance (the last two).
  await run(env.WASM_BINDGEN_BIN, [
    compiled,
    `--out-dir=${staged}`,
    "--out-name=index",
    "--target=module",
    "--no-typescript",
    "--experimental-reset-state-function",
    "--force-enable-abort-handler",
  ]);
  // What rustc's target and the glue use. All that binaryen knows would be more than the runtime reads.
  const features = [
    "mutable-globals",
    "sign-ext",
    "nontrapping-float-to-int",
    "bulk-memory",
    "multivalue",
    "reference-types",
    "exception-handling",
  ];
  const optimise = (from, to, passes) =>
    run(env.WASM_OPT_BIN, [
      path.join(staged, from),
      `--output=${path.join(staged, to)}`,
      ...features.map((feature) => `--enable-${feature}`),
      ...passes,
    ]);
  await optimise("index_bg.wasm", "optimised.wasm", [
    // Twice: the second time finds a little more.
    "-O",
    "-O",
    // No object lies in the first kilobyte, where the stack ends: so constants of addresses go into loads and stores.
    "--low-memory-unused",
    // To inline what is called once saves bytes and costs more of them gzipped, where one function resembles another.
    "--one-caller-inline-max-function-size=0",
  ]);
  writeFileSync(path.join(staged, "named.wasm"), named(readFileSync(path.join(staged, "optimised.wasm"))));
  await optimise("named.wasm", "ordered.wasm", ["--debuginfo", "--reorder-functions-by-name"]);
  // Names are left out where nobody asks for them.
  await optimise("ordered.wasm", "final.wasm", ["--quiet"]);
  // The runtime imports wasm as a module does.
  const glue = path.join(staged, "index.js");
  writeFileSync(glue, readFileSync(glue, "utf8").replace("import source ", "import "));
  await run(env.ESBUILD_BIN, [
    ENTRY,
    "--bundle",
    "--format=esm",
    "--minify",
    "--log-level=warning",
    `--alias:wasm=${glue}`,
    "--external:./index_bg.wasm",
    `--outfile=${path.join(staged, "bundle.js")}`,
  ]);
  renameSync(path.join(staged, "bundle.js"), SCRIPT);
  renameSync(path.join(staged, "final.wasm"), WASM);
  rmSync(staged, { recursive: true });
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

/** What is written in JavaScript and not compiled by cargo. */
function scripts() {
  const dir = path.dirname(ENTRY);
  return readdirSync(dir, { recursive: true })
    .filter((name) => name.endsWith(".mjs"))
    .map((name) => path.join(dir, name));
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
