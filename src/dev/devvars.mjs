// .dev.vars: the secrets and settings of a local run. wrangler reads it and lets it win over [vars].

import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { root } from "./run.mjs";

const FILE = path.join(root, ".dev.vars");

/** Creates .dev.vars with fresh secrets unless it is there, and returns what stands in it. */
export function devVars() {
  const secrets = [
    `LINK_KEYS=k1:${randomBytes(32).toString("base64")}`,
    `API_TOKEN=${randomBytes(24).toString("base64url")}`,
    `WEBHOOK_SECRET=whsec_${randomBytes(32).toString("base64")}`,
  ];
  try {
    writeFileSync(FILE, `${secrets.join("\n")}\n`, { flag: "wx", mode: 0o600 });
    console.log("Created .dev.vars with random secrets");
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  return parse(readFileSync(FILE, "utf8"));
}

// As wrangler reads it: NAME=value, the value bare up to a comment, or in one of three quotes.
function parse(text) {
  const line = /^\s*(?:export\s+)?([\w.-]+)\s*=[^\S\n]*(?:'([^']*)'|"([^"]*)"|`([^`]*)`|([^#\r\n]*))/gm;
  const vars = {};
  for (const [, name, single, double, back, bare] of text.matchAll(line)) {
    vars[name] = single ?? double ?? back ?? bare.trim();
  }
  return vars;
}
