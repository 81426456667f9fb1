// What the pages say of the tree: their links lead somewhere, and names of scripts, settings and versions are those that there are.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { root } from "../../src/dev/run.mjs";
import { PAGES, WORDS, anchors, commands, links, read, settingsOf } from "./pages.mjs";

const packageJson = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));

test("every link into the repository leads to a file, and to a heading of it", () => {
  let seen = 0;
  for (const page of PAGES) {
    for (const { file, anchor } of links(page)) {
      assert.ok(existsSync(path.join(root, file)), `${page} links to ${file}, which is not there`);
      if (anchor)
        assert.ok(anchors(file).includes(anchor), `${page} links to ${file}#${anchor}: no such heading`);
      seen += 1;
    }
  }
  assert.ok(seen > 40, `${seen} links`);
});

test("README leads to every page", () => {
  const known = links("README.md").map(({ file }) => file);
  for (const page of PAGES)
    assert.ok(page === "README.md" || known.includes(page), `README.md does not link to ${page}`);
});

test("a fence of commands says where it can be run, in words that the tests know", () => {
  for (const page of PAGES) {
    for (const { line, words } of commands(page)) {
      for (const word of words) assert.match(word, WORDS, `${page}:${line}`);
    }
  }
});

test("the pages name npm scripts and cargo targets that there are", () => {
  const cargo = readFileSync(path.join(root, "Cargo.toml"), "utf8");
  let seen = 0;
  for (const page of PAGES) {
    for (const [, script] of read(page).matchAll(/\bnpm run ([a-z]+)/g)) {
      assert.ok(script in packageJson.scripts, `${page}: npm run ${script}`);
      seen += 1;
    }
    for (const [, name] of read(page).matchAll(/cargo bench [^`\n]*--bench ([a-z]+)/g)) {
      assert.ok(cargo.includes(`[[bench]]\nname = "${name}"`), `${page}: --bench ${name}`);
    }
    for (const [, name] of read(page).matchAll(/cargo test --test ([a-z_]+)/g)) {
      const files = [`tests/${name}.rs`, `tests/${name}/main.rs`];
      assert.ok(
        files.some((file) => existsSync(path.join(root, file))),
        `${page}: --test ${name}`,
      );
    }
  }
  assert.ok(seen > 0);
});

test("the newest version of the changelog is Cargo's and npm's", () => {
  const [, newest] = read("static/docs/CHANGELOG.md").match(/^## (\S+)/m);
  const [, cargo] = readFileSync(path.join(root, "Cargo.toml"), "utf8").match(/^version = "(.+)"/m);
  assert.deepEqual([newest, packageJson.version], [cargo, cargo]);
});

test("the operators' table has every setting of wrangler.toml", () => {
  const page = read("static/docs/operators.md");
  const settings = page.slice(page.indexOf("## Settings"), page.indexOf("## What to watch"));
  const text = readFileSync(path.join(root, "wrangler.toml"), "utf8");
  const names = [
    ...text.slice(text.indexOf("\n[vars]"), text.indexOf("\n[env.")).matchAll(/^(?:# )?([A-Z_]{4,}) = /gm),
  ];
  assert.ok(names.length > 20, `${names.length} settings`);
  for (const [, name] of names) assert.ok(settings.includes(`\`${name}\``), `${name} has no row`);
});

test("staging has bindings, consumers and settings like production's, and nothing that is production's", () => {
  const [production, staging] = [settingsOf(""), settingsOf("staging")];
  const own = (value) => JSON.parse(JSON.stringify(value).replaceAll("clickproof-staging", "clickproof"));
  for (const name of [
    "durable_objects",
    "queues",
    "r2_buckets",
    "vars",
    "migrations",
    "observability",
    "assets",
  ]) {
    assert.deepEqual(own(staging[name]), own(production[name]), name);
  }
  const names = ({ queues, r2_buckets }) => [
    ...[...queues.producers, ...queues.consumers].map(({ queue }) => queue),
    ...queues.consumers.map(({ dead_letter_queue }) => dead_letter_queue).filter(Boolean),
    ...r2_buckets.map(({ bucket_name }) => bucket_name),
  ];
  for (const name of names(staging)) assert.ok(!names(production).includes(name), `${name} is both's`);
  for (const config of [production, staging]) {
    assert.deepEqual([config.workers_dev, config.preview_urls], [false, false]);
  }
  assert.notEqual(staging.name, production.name);
});
