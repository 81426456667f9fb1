// A parser for the dialects that nothing here runs.

import { spawnSync } from "node:child_process";
import { ensurePython } from "./tools.mjs";

const PROGRAM = `
import json, sys
import sqlglot
for text in json.loads(sys.stdin.read()):
    sqlglot.parse(text, read=sys.argv[1], error_level=sqlglot.ErrorLevel.RAISE)
`;

/** The parser. */
export async function make() {
  const { python, sqlglot } = await ensurePython();
  return {
    name: `sqlglot ${sqlglot}`,
    /** How many of the texts it refuses. */
    refused(dialect, texts) {
      const refuses = (text) => {
        const input = JSON.stringify([text]);
        const { status, stderr } = spawnSync(python, ["-c", PROGRAM, dialect], { input, encoding: "utf8" });
        if (status !== 0) console.error(stderr);
        return status !== 0;
      };
      return texts.filter(refuses).length;
    },
  };
}
