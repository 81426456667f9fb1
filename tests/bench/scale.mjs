// A send to ten million recipients at its busiest, natively and in virtual time (scale.rs): what it takes, what that costs, and that
// every verdict is the one of its whole history. Settings are the environment's.

import { Failure, output } from "../../src/dev/run.mjs";

const COMMAND = ["bench", "--profile=release", "--bench=scale", "--quiet"];

/** Plays it; returns the tables. */
export function scale() {
  console.error("A send to ten million recipients");
  const tables = output("cargo", COMMAND);
  if (!tables)
    throw new Failure(`Verdicts differ, or a bound is not met; to see it: cargo ${COMMAND.join(" ")}`);
  return tables;
}
