// The Rust side of the set-up: the toolchain with its wasm target, and the two programs that turn a crate into a
// Worker: worker-build and the wasm-bindgen CLI. Both are compiled; left alone, worker-build would fetch what it lacks from
// release pages, which not every network reaches.

import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import os from "node:os";
import { aptInstall, canApt } from "./apt.mjs";
import { cacheDir, withLock } from "./cache.mjs";
import { Failure, output, root, step, which } from "./run.mjs";

const WASM_TARGET = "wasm32-unknown-unknown";
const WORKER_BUILD = "0.8.7";
const RUSTUP = "Install Rust from https://rustup.rs, then run this again.";

const CARGO_HOME = process.env.CARGO_HOME || path.join(os.homedir(), ".cargo");

/** Rust itself, new enough for the crate, with the linker that it needs. */
export async function ensureRust() {
  // A rustup of a minute ago is not on this shell's PATH yet.
  process.env.PATH = [process.env.PATH, path.join(CARGO_HOME, "bin")].filter(Boolean).join(path.delimiter);

  if (!which("cargo") || !which("rustc")) throw new Failure(`Rust is missing. ${RUSTUP}`);
  const version = output("rustc", ["--version"])?.match(/\d+\.\d+/)?.[0];
  if (!version) throw new Failure("rustc does not run: set a toolchain with `rustup default stable`.");
  const least = readFileSync(path.join(root, "Cargo.toml"), "utf8").match(/^rust-version = "(.+)"/m)[1];
  if (Number(version.split(".")[1]) < Number(least.split(".")[1])) {
    throw new Failure(`Rust ${least} or newer is needed, this is ${version}: run \`rustup update stable\`.`);
  }
  await ensureLinker();
}

async function ensureLinker() {
  if (which("cc")) return;
  if (canApt()) return aptInstall("Installing a C compiler", "seconds", ["gcc", "libc6-dev"]);
  throw new Failure(
    "Rust links with a C compiler, which is missing. Debian and Ubuntu: sudo apt-get install gcc libc6-dev; " +
      "Fedora: sudo dnf install gcc; macOS: xcode-select --install; then run this again.",
  );
}

/** rustfmt and clippy, which a minimal rustup profile lacks. */
export async function ensureLinters() {
  for (const [component, probe] of [
    ["rustfmt", "fmt"],
    ["clippy", "clippy"],
  ]) {
    if (output("cargo", [probe, "--version"]) !== null) continue;
    await rustup(`Adding ${component}`, ["component", "add", component]);
  }
}

export async function ensureWasmTarget() {
  const libdir = output("rustc", ["--print", "target-libdir", "--target", WASM_TARGET]);
  if (libdir && existsSync(libdir)) return;
  await rustup(`Adding the target ${WASM_TARGET}`, ["target", "add", WASM_TARGET]);
}

async function rustup(what, args) {
  if (!which("rustup")) throw new Failure(`${what} needs rustup. ${RUSTUP}`);
  await step(what, "seconds", "rustup", args, { advice: `Run \`rustup ${args.join(" ")}\` by hand.` });
}

/**
 * The paths of worker-build and of wasm-bindgen, this one in exactly Cargo.lock's version: glue and library must agree.
 * Null when one is missing.
 */
export function buildTools() {
  const { cached, tools } = wanted();
  const [workerBuild, wasmBindgen] = tools.map(({ bin, version, override }) => {
    const isRight = (file) => output(file, ["--version"])?.split(" ").at(-1) === version;
    const chosen = override && process.env[override];
    if (chosen && isRight(chosen)) return chosen;
    if (chosen) console.error(`${override} is not ${bin} ${version}: not used`);
    return [which(bin), path.join(cached, bin)].find((file) => file && isRight(file));
  });
  return workerBuild && wasmBindgen ? { workerBuild, wasmBindgen } : null;
}

/** Compiles both into the cache. */
export async function compileBuildTools() {
  const { cached, tools } = wanted();
  await withLock(path.basename(cached), async () => {
    if (buildTools()) return;
    // One workspace, because they share most of what they depend on. It stays until the work is done, so an interrupted
    // one goes on where it was; and outside the checkout, so that no cargo configuration there applies.
    const workspace = `${cached}.building`;
    const target = path.join(workspace, "target");
    mkdirSync(workspace, { recursive: true });
    for (const { crate, version } of tools) {
      cpSync(crateSource(crate, version), path.join(workspace, crate), {
        recursive: true,
        preserveTimestamps: true,
      });
    }
    const [workerBuild] = tools.map(({ crate }) => path.join(workspace, crate));
    withoutDownloads(path.join(workerBuild, "Cargo.toml"));
    // worker-build's holds for both: the other's own does not resolve.
    copyFileSync(path.join(workerBuild, "Cargo.lock"), path.join(workspace, "Cargo.lock"));
    const members = JSON.stringify(tools.map(({ crate }) => crate));
    writeFileSync(path.join(workspace, "Cargo.toml"), `[workspace]\nresolver = "3"\nmembers = ${members}\n`);
    await step(
      `Compiling ${tools.map(({ bin, version }) => `${bin} ${version}`).join(" and ")}`,
      "once, usually 1 to 2 min",
      "cargo",
      ["build", "--no-default-features", ...tools.flatMap(({ bin }) => ["--bin", bin])],
      {
        // Unoptimised and without debug info: it compiles several times faster and is fast enough.
        cwd: workspace,
        env: {
          ...process.env,
          CARGO_INCREMENTAL: "0",
          CARGO_PROFILE_DEV_DEBUG: "0",
          CARGO_PROFILE_DEV_PANIC: "abort",
          CARGO_TARGET_DIR: target,
        },
        advice: "Check the lines above and the network, then run this again.",
      },
    );
    const staged = path.join(workspace, "built");
    rmSync(staged, { recursive: true, force: true });
    mkdirSync(staged);
    for (const { bin } of tools) renameSync(path.join(target, "debug", bin), path.join(staged, bin));
    rmSync(cached, { recursive: true, force: true });
    renameSync(staged, cached);
    rmSync(workspace, { recursive: true, force: true });
  });
}

function wanted() {
  const lock = readFileSync(path.join(root, "Cargo.lock"), "utf8");
  const wasmBindgen = lock.match(/name = "wasm-bindgen"\nversion = "(.+)"/)[1];
  return {
    cached: path.join(cacheDir, `worker-build-${WORKER_BUILD}-wasm-bindgen-${wasmBindgen}`),
    tools: [
      { crate: "worker-build", bin: "worker-build", version: WORKER_BUILD },
      { crate: "wasm-bindgen-cli", bin: "wasm-bindgen", version: wasmBindgen, override: "WASM_BINDGEN_BIN" },
    ],
  };
}

/** The directory of a crate's source. Cargo fetches and unpacks a crate to say what it is. */
function crateSource(crate, version) {
  const told = output("cargo", ["info", "--quiet", `${crate}@${version}`]);
  const sources = path.join(CARGO_HOME, "registry/src");
  const registries = told === null ? [] : readdirSync(sources);
  const found = registries
    .map((registry) => path.join(sources, registry, `${crate}-${version}`))
    .find((source) => existsSync(source));
  if (!found)
    throw new Failure(`cargo does not fetch ${crate} ${version}: check the network, then run this again.`);
  return found;
}

// What worker-build fetches tools with is most of its code, TLS by OpenSSL and its headers among it. Here it is given every
// tool, so it does without; and without the code of its package's other program.
function withoutDownloads(manifest) {
  const lean = readFileSync(manifest, "utf8")
    .replace(/\[dependencies\.(?:binary-install|worker-codegen)\]\n.*\n\n?/g, "")
    .replace(
      /(\[dependencies\.ureq\]\n.*\n)features = \[[^\]]*\]/,
      '$1default-features = false\nfeatures = ["_tls"]',
    );
  writeFileSync(manifest, lean);
}
