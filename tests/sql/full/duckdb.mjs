// DuckDB at full size: the engine of `npm test`.

import { duckdb } from "../engines.mjs";

/** The engine with its version. */
export async function make() {
  const engine = await duckdb();
  const [{ version }] = await engine.rows("SELECT version() AS version");
  return { ...engine, name: `DuckDB ${version}` };
}
