// Holds events to static/schema/events.json. It knows as much of JSON Schema as that file says; a word that it does not know is an
// error, so that nothing is taken for checked that is not.

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import path from "node:path";
import { root } from "../../src/dev/run.mjs";

export const schema = JSON.parse(readFileSync(path.join(root, "static/schema/events.json"), "utf8"));

const NOTES = ["$schema", "title", "description", "examples"];

const TYPES = {
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  array: Array.isArray,
  string: (value) => typeof value === "string",
  integer: Number.isSafeInteger,
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
};

const WORDS = {
  type: (rule, value) => {
    if (![rule].flat().some((word) => TYPES[word](value))) return `${JSON.stringify(value)} is no ${rule}`;
  },
  const: (rule, value) => {
    if (!isDeepStrictEqual(rule, value)) return `${JSON.stringify(value)} is not ${rule}`;
  },
  enum: (rule, value) => {
    if (!rule.includes(value)) return `${JSON.stringify(value)} is none of ${rule}`;
  },
  required: (rule, value) => {
    const absent = rule.find((name) => !Object.hasOwn(value, name));
    if (absent) return `${absent} is absent`;
  },
  properties(rule, value) {
    for (const [name, schema] of Object.entries(rule)) {
      const words = Object.hasOwn(value, name) && violation(value[name], schema);
      if (words) return `${name}: ${words}`;
    }
  },
  items: (rule, value) =>
    Array.isArray(value) ? value.map((item) => violation(item, rule)).find(Boolean) : undefined,
  oneOf(rule, value) {
    const broken = rule.map((one) => violation(value, one));
    const held = broken.filter((words) => !words).length;
    if (held !== 1) return `${held} of the alternatives hold: ${broken.join("; ")}`;
  },
  additionalProperties(rule) {
    if (rule !== true) return `additionalProperties is ${rule}`;
  },
};

/** The first thing about an event that the schema forbids; nothing where it is right. */
export function violation(value, rules = schema) {
  for (const [word, rule] of Object.entries(rules)) {
    if (NOTES.includes(word)) continue;
    if (!(word in WORDS)) throw new Error(`the schema says "${word}", which is not checked`);
    const words = WORDS[word](rule, value);
    if (words) return words;
  }
}
