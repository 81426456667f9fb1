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
const HANGS = 30_000;
const env = { ...process.env, LINK_KEYS: keys };
const run = (name) => [
  ...["cargo", "run", "--quiet", "--bin", "clickproof", "--", name],
  ...["--answer-errors", "--base-url", base_url],
];

const { links: _, ...copy } = call;
const mail = { ...copy, html: '<a href="https://brand.example/">Read on</a>' };
const COMMANDS = [
  ["mint", call, (minted) => assert.deepEqual(minted, answer)],
  ["rewrite", mail, ({ html, links }) => assert.ok(html.includes(`<a href="${links[0].href}">Read on</a>`))],
];

// A bad line between good ones: who waits for its answer must not wait for ever.
const linesOf = (line) => [
  line,
  { ...line, recipient_id: "a@b.example" },
  { ...line, recipient_id: "r2" },
  line,
];

function check(answers, isRight) {
  assert.equal(answers.length, 4);
  isRight(answers[0]);
  assert.match(answers[1].error, /^recipient_id: .*'@'/);
  assert.equal(answers[2].links.length, answers[0].links.length);
  assert.notDeepEqual(answers[2], answers[0]);
  assert.deepEqual(answers[3], answers[0]);
}

// Not while a test waits for its first line.
before(async () => assert.equal(await show("cargo", ["build", "--quiet", "--bin", "clickproof"]), 0));

for (const [name, line, isRight] of COMMANDS) {
  const command = run(name);
  const lines = linesOf(line).map((line) => `${JSON.stringify(line)}\n`);
  const options = { cwd: root, env, stdio: ["pipe", "pipe", "ignore"] };

  test(`${name} answers Node line by line`, { timeout: HANGS }, async (t) => {
    const child = spawn(command[0], command.slice(1), options);
    t.after(() => child.kill());
    const ended = new Promise((resolve) => child.on("close", resolve));
    const read = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const answers = [];
    for (const line of lines) {
      child.stdin.write(line);
      answers.push(JSON.parse((await read.next()).value));
    }
    child.stdin.end();
    check(answers, isRight);
    assert.equal(await ended, 1, "one line was bad");
  });

  test(
    `${name} answers Python line by line`,
    { timeout: HANGS, skip: PYTHON.find() ? false : notTested(PYTHON) },
    async (t) => {
      const driver = path.join(root, "tests/minters/drivers/coprocess.py");
      const child = spawn(PYTHON.find(), [driver, ...command], options);
      t.after(() => child.kill());
      child.stdin.end(lines.join(""));
      const answers = [];
      for await (const line of createInterface({ input: child.stdout })) answers.push(JSON.parse(line));
      check(answers, isRight);
    },
  );
}
