// The pages for readers: README and what lies in static/docs, their blocks of commands and their links.
//
// A fence's words say where its commands can be run. `sh` alone: here, by a test. `account`: with a Cloudflare account, or the
// stand-in for one (account.mjs). `network`: with other people's servers. `long`: it takes minutes, or serves until it is stopped.
// `needs=rclone`: where that program is installed.

import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { unstable_readConfig as readConfig } from "wrangler";
import { root } from "../../src/dev/run.mjs";

const DOCS = "static/docs";

/** The pages' paths from the root. */
export const PAGES = [
  "README.md",
  ...readdirSync(path.join(root, DOCS))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${DOCS}/${name}`),
];

/** What a fence of commands may say behind `sh`. */
export const WORDS = /^(account|network|long|needs=[a-z0-9]+)$/;

/** What wrangler.toml says of an environment; production has no name. */
export const settingsOf = (env) =>
  readConfig({ config: path.join(root, "wrangler.toml"), env }, { hideWarnings: true });

export function read(page) {
  return readFileSync(path.join(root, page), "utf8");
}

/**
 * The page's blocks of commands, in order: `{ line, words, text }`. A list's own are indented with it; what begins with `#!` is a
 * file to write.
 */
export function commands(page) {
  const text = read(page);
  const blocks = [...text.matchAll(/^( *)```sh\b([^\n]*)\n(.*?)^ *```$/gms)];
  return blocks
    .map(({ index, 1: indent, 2: words, 3: body }) => ({
      line: text.slice(0, index).split("\n").length,
      words: words.split(" ").filter(Boolean),
      text: body.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    }))
    .filter(({ text }) => !text.startsWith("#!"));
}

/** The page's headings as the anchors that links name. */
export function anchors(page) {
  const headings = prose(page).matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, title]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** The targets of the page's links that lead into this repository: `{ file, anchor }`, the file from the root. */
export function links(page) {
  const targets = [...prose(page).matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file, anchor] = target.split("#");
      return { file: file ? path.join(path.dirname(page), file) : page, anchor };
    });
}

function prose(page) {
  return read(page).replaceAll(/^ *```.*?^ *```$/gms, "");
}
