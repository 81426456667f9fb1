// The parts of `clickproof sql` that read shipped events, on real engines: the table that `source` makes is filled with what
// `classify` wrote, amended and told twice, and asked.

import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { clickproof } from "./clicks.mjs";
import { duckdb, folder, postgres } from "./engines.mjs";
import { counted, shipped, told } from "./shipped.mjs";

const sql = (dialect, part, ...flags) => clickproof(["sql", "--dialect", dialect, "--part", part, ...flags]);

for (const make of [duckdb, postgres("postgres")]) {
  describe("shipped events in SQL", () => {
    let engine, events, last;
    before(async () => {
      engine = await make();
      ({ events, last } = await shipped(4, 1_500));
      await engine.ship(events, await sql(engine.dialect, "source"));
    });
    after(() => engine.close());

    test("`source` takes them, `current` is each one's highest revision", async () => {
      const rows = await engine.rows(await sql(engine.dialect, "current"));
      assert.equal(rows.length, last.size);
      assert.ok(events.length > last.size + 150);
      for (const row of rows) {
        const event = last.get(row.event_id);
        for (const [name, value] of Object.entries(event)) {
          // Numbers of 64 bits come as text.
          const said = typeof value === "number" ? Number(row[name]) : row[name];
          assert.deepEqual(said, value, `${name} of ${event.event}`);
        }
      }
    });

    test("`report` counts people's clicks by message, link, group and hour", async () => {
      const expected = counted(last);
      const rows = await engine.rows(await sql(engine.dialect, "report"));
      assert.deepEqual(new Map(rows.map(told)), expected);
      assert.ok(rows.length > 50);
      for (const row of rows) {
        const hour =
          row.hour_utc instanceof Date ? row.hour_utc : new Date(`${row.hour_utc.replace(" ", "T")}Z`);
        assert.equal(hour.getTime(), Number(row.hour_ms));
      }
    });

    test("`check` is empty where all is well, and names what is not", async () => {
      const text = await sql(engine.dialect, "check");
      assert.deepEqual(await engine.rows(text), []);
      const rows = await engine.rows(await sql(engine.dialect, "check", "--late-ms", "3599999"));
      assert.ok(rows.length > 0, "another window");
      for (const row of rows) {
        assert.equal(row.shipped_rule, last.get(row.event_id).rule);
        assert.notEqual(row.rule, row.shipped_rule);
      }
      // What another ruleset has shipped is not compared.
      const others = (await sql(engine.dialect, "check", "--late-ms", "3599999")).replaceAll(
        "'defender@%'",
        "'full@%'",
      );
      assert.deepEqual(await engine.rows(others), []);
    });
  });
}

test("`compact` writes the highest revisions as Parquet that reads back the same", async () => {
  const engine = await duckdb();
  const { events, last } = await shipped(4, 1_500);
  await engine.ship(events, await sql("duckdb", "source"));
  const dir = path.join(folder(), "parquet");
  await engine.run((await sql("duckdb", "compact")).replace("'clickproof_events'", `'${dir}'`));
  assert.deepEqual(
    readdirSync(dir).toSorted(),
    ["alert", "click", "confirm", "open", "unsubscribe", "verify"].map((event) => `event=${event}`),
  );
  assert.ok(existsSync(path.join(dir, "event=click", "day=2026-11-22")));
  const from = `read_parquet('${dir}/*/*/*.parquet', hive_partitioning = true)`;
  assert.equal((await engine.rows(`SELECT event_id FROM ${from}`)).length, last.size);
  const judge = (table) => clickproof(["sql", "--dialect", "duckdb", "--table", table]);
  const verdicts = async (table) =>
    (await engine.rows(await judge(table))).map((row) => JSON.stringify(row)).toSorted();
  assert.deepEqual(await verdicts(from), await verdicts("clickproof_events"));
  engine.close();
});
