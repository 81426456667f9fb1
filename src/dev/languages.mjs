// The languages of the minters in static/minters beside Node's own.

import { output, which } from "./run.mjs";

/** `find` says where a language's program is, or null. */
export const PYTHON = { name: "Python", packages: ["python3"], find: () => which("python3") };

export const PHP = { name: "PHP", packages: ["php-cli"], find: () => which("php") };

export const RUBY = { name: "Ruby", packages: ["ruby"], find: () => which("ruby") };

export const GO = {
  name: "Go",
  packages: ["golang-go"],
  // A distribution's may be older than what the minter says that it needs.
  find: () => (/go1\.(1[89]|[2-9]\d)/.test(output("go", ["version"]) ?? "") ? which("go") : null),
};
