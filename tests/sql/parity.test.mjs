// `clickproof sql --part defender` against `clickproof classify --ruleset defender` on real engines: DuckDB, and PostgreSQL,
// which runs Redshift's text too. `npm run warehouse` tries more engines, and many more clicks.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { byEvent, clickproof, clicks, judged, same } from "./clicks.mjs";
import { duckdb, postgres } from "./engines.mjs";

const ENGINES = [duckdb, postgres("postgres"), postgres("redshift")];
const CLICKS = 4_000;

const defender = (dialect, ...flags) =>
  clickproof(["sql", "--dialect", dialect, "--table", "clicks", ...flags]);

for (const make of ENGINES) {
  describe("the published table in SQL", () => {
    let engine;
    before(async () => (engine = await make()));
    after(() => engine.close());

    test("it says of every click what the command line says", async () => {
      const records = clicks(1, CLICKS);
      await engine.load(records);
      const rows = await engine.rows(await defender(engine.dialect));
      same(await judged(records), byEvent(rows), records);
      assert.equal(
        rows.length,
        new Set(records.map(({ event_id }) => event_id)).size,
        "one row for each event",
      );
      const names = ["event_id", "click_type", "rule", "paired_with", "is_defender_bot"];
      assert.deepEqual(Object.keys(rows[0]), names);
      assert.ok(rows.every(({ is_defender_bot }) => typeof is_defender_bot === "boolean"));
    });

    test("other windows and counts are obeyed, and it stands behind CREATE VIEW and in brackets", async () => {
      const records = clicks(2, CLICKS);
      await engine.load(records);
      const flags = [
        "--pair-ms",
        "499",
        "--safelinks-delivery-ms",
        "5001",
        "--sandbox-ms",
        "60001",
        "--sandbox-clicks",
        "4",
      ];
      flags.push("--campaign-ms", "59999", "--campaign-recipients", "29", "--late-ms", "3599999");
      const [usual, expected] = await Promise.all([judged(records), judged(records, flags)]);
      assert.notDeepEqual(usual, expected);
      const text = await defender(engine.dialect, ...flags);
      await engine.run(`CREATE VIEW verdicts AS\n${text}`);
      same(expected, byEvent(await engine.rows("SELECT * FROM verdicts")), records);
      same(expected, byEvent(await engine.rows(`SELECT * FROM (\n${text}\n) AS verdicts`)), records);
    });

    test("rows that are no records get no verdict and change none", async () => {
      const records = clicks(3, 500);
      const lacks = [
        { recipient_id: "" },
        { recipient_id: null },
        { message_id: null },
        { event_id: "" },
        { event_id: null },
        { ts_ms: null },
        { sent_at_ms: null },
        { link_id: null, url: "" },
      ];
      const broken = records.flatMap((record, at) => {
        const { event_id } = record;
        return { ...record, event_id: `broken${event_id}`, ...lacks[at % lacks.length] };
      });
      await engine.load([...records, ...broken]);
      const rows = await engine.rows(await defender(engine.dialect));
      assert.deepEqual(byEvent(rows), await judged(records));
    });
  });
}
