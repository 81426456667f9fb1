// The Rust side of the set-up: the toolchain with its wasm target, and the two programs that turn a crate into a
// Worker: worker-build and the wasm-bindgen CLI. Both are compiled by `cargo install`; left alone, worker-build would
// fetch what it lacks from release pages, which not every network reaches.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import os from "node:os";
import { aptInstall, canApt } from "./apt.mjs";
import { cacheDir, withLock } from "./cache.mjs";
import { Failure, output, root, step, which } from "./run.mjs";

const WASM_TARGET = "wasm32-unknown-unknown";
const WORKER_BUILD = "0.8.7";
const RUSTUP = "Install Rust from https://rustup.rs, then run this again.";

/** Rust itself, new enough for the crate. */
export function ensureRust() {
  // A rustup of a minute ago is not on this shell's PATH yet.
  const cargoBin = path.join(process.env.CARGO_HOME || path.join(os.homedir(), ".cargo"), "bin");
  process.env.PATH = [process.env.PATH, cargoBin].filter(Boolean).join(path.delimiter);

  if (!which("cargo") || !which("rustc")) throw new Failure(`Rust is missing. ${RUSTUP}`);
  const version = output("rustc", ["--version"])?.match(/\d+\.\d+/)?.[0];
  if (!version) throw new Failure("rustc does not run: set a toolchain with `rustup default stable`.");
  const least = readFileSync(path.join(root, "Cargo.toml"), "utf8").match(/^rust-version = "(.+)"/m)[1];
  if (Number(version.split(".")[1]) < Number(least.split(".")[1])) {
    throw new Failure(`Rust ${least} or newer is needed, this is ${version}: run \`rustup update stable\`.`);
  }
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

/** The path of worker-build in the version that this project is built with. */
export function ensureWorkerBuild() {
  return ensureCargoTool({
    crate: "worker-build",
    bin: "worker-build",
    version: WORKER_BUILD,
    usually: "once, usually 2 to 5 min",
    args: ["--locked", "--bin", "worker-build"],
    before: ensureOpenssl,
  });
}

/** The path of wasm-bindgen in exactly Cargo.lock's version: glue and library must agree. */
export function ensureWasmBindgen() {
  const lock = readFileSync(path.join(root, "Cargo.lock"), "utf8");
  return ensureCargoTool({
    crate: "wasm-bindgen-cli",
    bin: "wasm-bindgen",
    version: lock.match(/name = "wasm-bindgen"\nversion = "(.+)"/)[1],
    override: "WASM_BINDGEN_BIN",
    usually: "once, usually 1 to 3 min",
    // Without --locked: the package's own lock file does not resolve.
    args: ["--bin", "wasm-bindgen"],
  });
}

async function ensureCargoTool({ crate, bin, version, override, usually, args, before }) {
  const home = path.join(cacheDir, `${crate}-${version}`);
  const cached = path.join(home, "bin", bin);
  const isRight = (file) => output(file, ["--version"])?.split(" ").at(-1) === version;

  const chosen = override && process.env[override];
  if (chosen && isRight(chosen)) return chosen;
  if (chosen) console.error(`${override} is not ${bin} ${version}: not used`);
  const installed = which(bin);
  if (installed && isRight(installed)) return installed;
  if (isRight(cached)) return cached;

  await withLock(`${crate}-${version}`, async () => {
    if (isRight(cached)) return;
    await before?.();
    // The build directory stays until the install is done, so an interrupted one goes on where it was.
    const building = `${home}.building`;
    const staged = path.join(building, "root");
    rmSync(staged, { recursive: true, force: true });
    mkdirSync(building, { recursive: true });
    await step(
      `Compiling ${bin} ${version}`,
      usually,
      "cargo",
      ["install", `${crate}@${version}`, ...args, "--debug", "--no-track", "--root", staged],
      {
        // Unoptimised and without debug info: it compiles several times faster and is fast enough. Outside the
        // checkout, so that no cargo configuration there applies.
        cwd: building,
        env: {
          ...process.env,
          CARGO_TARGET_DIR: path.join(building, "target"),
          CARGO_PROFILE_DEV_DEBUG: "0",
        },
        advice: "Check the lines above and the network, then run this again.",
      },
    );
    rmSync(home, { recursive: true, force: true });
    renameSync(staged, home);
    rmSync(building, { recursive: true, force: true });
  });
  return cached;
}

// worker-build links the system's TLS library, which on Linux is OpenSSL with its headers.
async function ensureOpenssl() {
  if (process.platform !== "linux") return;
  const openssl =
    process.env.OPENSSL_DIR ||
    process.env.OPENSSL_LIB_DIR ||
    output("pkg-config", ["--exists", "openssl"]) !== null;
  if (which("cc") && openssl) return;
  const packages = ["gcc", "libc6-dev", "pkg-config", "libssl-dev"];
  if (!canApt()) {
    throw new Failure(
      "A C compiler, pkg-config and OpenSSL's headers are missing. " +
        `Debian and Ubuntu: sudo apt-get install ${packages.join(" ")}; ` +
        "Fedora: sudo dnf install gcc pkgconf openssl-devel; then run this again.",
    );
  }
  await aptInstall("Installing a C compiler and OpenSSL's headers", "seconds", packages);
}
