// The command line as a co-process of mail software: one line in, one line out, flushed before the next is sent.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { before, test } from "node:test";
import { PYTHON } from "../../src/dev/languages.mjs";
import { notTested } from "../../src/dev/optional.mjs";
import { root, show } from "../../src/dev/run.mjs";

const vectors = JSON.parse(readFileSync(path.join(root, "static/vectors/token.json"), "utf8"));
const { keys, base_url, call, answer } = vectors.calls[0];
const MINT = ["cargo", "run", "--quiet", "--bin", "clickproof", "--", "mint", "--answer-errors"];
const COMMAND = [...MINT, "--base-url", base_url];
const env = { ...process.env, LINK_KEYS: keys };
const HANGS = 30_000;

// A bad line between good ones: who waits for its answer must not wait for ever.
const LINES = [call, { ...call, recipient_id: "a@b.example" }, { ...call, recipient_id: "r2" }, call];

function check(answers) {
  assert.equal(answers.length, LINES.length);
  assert.deepEqual(answers[0], answer);
  assert.match(answers[1].error, /^recipient_id: .*'@'/);
  assert.equal(answers[2].links.length, call.links.length);
  assert.notDeepEqual(answers[2], answer);
  assert.deepEqual(answers[3], answer);
}

// Not while a test waits for its first line.
before(async () => assert.equal(await show("cargo", ["build", "--quiet", "--bin", "clickproof"]), 0));

test("mint answers Node line by line", { timeout: HANGS }, async (t) => {
  const child = spawn(COMMAND[0], COMMAND.slice(1), { cwd: root, env, stdio: ["pipe", "pipe", "ignore"] });
  t.after(() => child.kill());
  const ended = new Promise((resolve) => child.on("close", resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answers = [];
  for (const line of LINES) {
    child.stdin.write(`${JSON.stringify(line)}\n`);
    answers.push(JSON.parse((await lines.next()).value));
  }
  child.stdin.end();
  check(answers);
  assert.equal(await ended, 1, "one line was bad");
});

test(
  "mint answers Python line by line",
  { timeout: HANGS, skip: PYTHON.find() ? false : notTested(PYTHON) },
  async (t) => {
    const driver = path.join(root, "tests/minters/drivers/coprocess.py");
    const child = spawn(PYTHON.find(), [driver, ...COMMAND], {
      cwd: root,
      env,
      stdio: ["pipe", "pipe", "ignore"],
    });
    t.after(() => child.kill());
    child.stdin.end(LINES.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const answers = [];
    for await (const line of createInterface({ input: child.stdout })) answers.push(JSON.parse(line));
    check(answers);
  },
);
