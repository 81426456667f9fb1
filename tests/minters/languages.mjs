// The minters of static/minters, each behind one function: what to mint in, hrefs or errors out.

import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Minter, unsubscribeHeaders } from "../../static/minters/clickproof.mjs";
import { GO, PHP, PYTHON, RUBY } from "../../src/dev/languages.mjs";
import { notTested } from "../../src/dev/optional.mjs";
import { root } from "../../src/dev/run.mjs";

const MINTERS = path.join(root, "static/minters");
const DRIVERS = path.join(root, "tests/minters/drivers");
const driver = (name) => path.join(DRIVERS, name);

/** `mint` takes a list of what to mint and gives the answers in its order; `skip` says why it is left out, or is false. */
export const LANGUAGES = [
  { name: "JavaScript", skip: false, mint: async (asks) => asks.map(javascript) },
  language(PYTHON, (asks) => answers(PYTHON.find(), [driver("driver.py"), MINTERS], asks)),
  language(PHP, (asks) => answers(PHP.find(), [driver("driver.php"), MINTERS], asks)),
  language(RUBY, (asks) => answers(RUBY.find(), [driver("driver.rb"), MINTERS], asks)),
  language(GO, go),
];

function language(program, mint) {
  return { name: program.name, skip: program.find() ? false : notTested(program), mint };
}

function javascript({ keys, base_url, kind, copy, link_id, url }) {
  try {
    const href = new Minter(keys, base_url)[kind](copy, link_id, url);
    return { href, headers: unsubscribeHeaders(href) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { error: error.message };
  }
}

/** Go wants a module around what it compiles. */
async function go(asks) {
  const dir = mkdtempSync(path.join(os.tmpdir(), "clickproof-minter-"));
  try {
    writeFileSync(path.join(dir, "go.mod"), "module driver\n\ngo 1.18\n");
    mkdirSync(path.join(dir, "clickproof"));
    cpSync(path.join(MINTERS, "clickproof.go"), path.join(dir, "clickproof/clickproof.go"));
    cpSync(driver("driver.go"), path.join(dir, "main.go"));
    return await answers(GO.find(), ["run", "."], asks, { cwd: dir });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** What a driver answers to a line for each. */
async function answers(command, args, asks, options = {}) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], ...options });
  const ended = new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  child.stdin.end(asks.map((ask) => JSON.stringify(ask) + "\n").join(""));
  let text = "";
  for await (const part of child.stdout.setEncoding("utf8")) text += part;
  const code = await ended;
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}
