// A stranger's walk down a page: each block of commands is run as it stands, in the page's order, in a directory that knows
// nothing but what the page has made; variables and functions stay from one block to the next.
//
// What the page calls the click domain is the Worker of the test. `clickproof` is the tree's own, `wrangler` the pinned one, and
// nobody waits for a `sleep`.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { output, root, which } from "../../src/dev/run.mjs";
import { WRANGLER, wranglerEnv } from "../../src/dev/wrangler.mjs";
import { commands } from "./pages.mjs";

/** What the pages call the Worker that they speak to: deployed, and on this machine. */
const ORIGINS = ["https://click.brand.example", "http://127.0.0.1:8787"];

/** The commands as `cargo install` would leave them. */
function clickproofBinary() {
  const messages = output("cargo", ["build", "--quiet", "--bin", "clickproof", "--message-format=json"]);
  const artifacts = (messages ?? "")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const executable = artifacts.findLast((artifact) => artifact.executable)?.executable;
  assert.ok(executable, "cargo builds the commands");
  return executable;
}

/**
 * Begins a walk.
 *
 * - `page`: which
 * - `env`: what the reader's environment has beside PATH
 * - `skips`: words of fences whose blocks are left out
 * - `programs`: further programs, as lines of a shell script by name
 */
export function startWalk(t, page, { env = {}, skips = ["account", "network", "long"], programs = {} } = {}) {
  const home = mkdtempSync(path.join(os.tmpdir(), "clickproof-walk-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const dir = path.join(home, "here");
  const bin = path.join(home, "bin");
  for (const made of [dir, bin]) mkdirSync(made);
  const all = {
    clickproof: `exec '${clickproofBinary()}' "$@"`,
    npx: `[ "$1" = wrangler ] || exit 99; shift; exec '${process.execPath}' '${WRANGLER}' "$@"`,
    sleep: "exec /bin/sleep 0",
    ...programs,
  };
  for (const [name, script] of Object.entries(all)) {
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(bin, name), 0o755);
  }
  const state = path.join(home, "state");
  writeFileSync(state, "");
  const isLeftOut = ({ words }) => {
    if (words.some((word) => skips.includes(word))) return true;
    const needed = words.flatMap((word) => (word.startsWith("needs=") ? [word.slice("needs=".length)] : []));
    const missing = needed.find((program) => !(program in all) && !which(program));
    if (missing) t.diagnostic(`${page}: a block is not tried, for there is no ${missing} here`);
    return Boolean(missing);
  };
  const blocks = commands(page).filter((block) => !isLeftOut(block));
  const values = { ...process.env, ...wranglerEnv, HOME: home, ...env };
  values.PATH = [bin, path.dirname(process.execPath), process.env.PATH].join(path.delimiter);

  /** Runs one block; what it printed. `origin` is the Worker's. */
  async function run({ line, text }, origin = "http://127.0.0.1:1") {
    const script = ORIGINS.reduce((script, name) => script.replaceAll(name, origin), text);
    const file = path.join(home, "block");
    writeFileSync(
      file,
      `. '${state}'\nset -euo pipefail -o allexport\n${script}\nset +euo pipefail +o allexport\n` +
        `{ declare -p $(compgen -v | grep -vE '^(BASH.*|DIRSTACK|EUID|FUNCNAME|GROUPS|PPID|SHELLOPTS|UID|_|PIPESTATUS)$'); declare -f; } > '${state}'\n`,
    );
    const child = spawn("bash", [file], { cwd: dir, env: values, stdio: ["ignore", "pipe", "pipe"] });
    const texts = [child.stdout, child.stderr].map((stream) => stream.setEncoding("utf8").toArray());
    const [status] = await once(child, "close");
    const [stdout, stderr] = (await Promise.all(texts)).map((chunks) => chunks.join(""));
    assert.equal(status, 0, `${page}:${line} ended with ${status}\n${text}\n${stdout}\n${stderr}`);
    return stdout;
  }

  return {
    dir,
    blocks,
    run,
    /** Runs all that is left of the page: what it printed. */
    async all(origin) {
      let printed = "";
      for (const block of blocks) printed += await run(block, origin);
      return printed;
    },
  };
}
