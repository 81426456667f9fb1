// The packages of another checkout are not emptied through a link.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { refuseLink } from "../../src/dev/npm.mjs";

test("a directory of packages that is a link is refused, and what to do is said", (t) => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "clickproof-npm-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const [real, link] = ["real", "link"].map((name) => path.join(dir, name));
  refuseLink(path.join(dir, "none"));
  mkdirSync(real);
  refuseLink(real);
  symlinkSync(real, link);
  assert.throws(() => refuseLink(link), /is a symbolic link.*Remove the link/);
  rmSync(real, { recursive: true });
  assert.throws(() => refuseLink(link), /is a symbolic link/, "to nowhere");
  mkdirSync(real);
});
