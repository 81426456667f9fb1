// The parts of `clickproof sql` that read shipped events, on real engines: the table that `source` makes is filled with what
// `classify` wrote, amended and told twice, and asked.

import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { clickproof } from "./clicks.mjs";
import { duckdb, folder, postgres } from "./engines.mjs";
import { shipped } from "./shipped.mjs";

const HOUR_MS = 3_600_000;

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
      const expected = new Map();
      for (const event of last.values()) {
        if (event.event !== "click") continue;
        const { message_id, ts_ms, group } = event;
        const link = event.link_id || event.url;
        const key = JSON.stringify([message_id, link, group ?? null, ts_ms - (ts_ms % HOUR_MS)]);
        const count = expected.get(key) ?? { clicks: 0, human: 0, people: new Set(), bots: 0 };
        count.clicks += 1;
        count.bots += event.is_defender_bot ? 1 : 0;
        if (event.click_type === "human") {
          count.human += 1;
          count.people.add(event.recipient_id);
        }
        expected.set(key, count);
      }
      const rows = await engine.rows(await sql(engine.dialect, "report"));
      assert.equal(rows.length, expected.size);
      assert.ok(rows.length > 50);
      for (const row of rows) {
        const key = JSON.stringify([row.message_id, row.link_id, row.group, Number(row.hour_ms)]);
        const { clicks, human, people, bots } = expected.get(key);
        const found = [row.clicks, row.human_clicks, row.human_recipients, row.defender_bot_clicks].map(
          Number,
        );
        assert.deepEqual(found, [clicks, human, people.size, bots], key);
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
