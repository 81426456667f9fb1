// Events as a Worker ships them: settled verdicts, some of them amended, each told of at least once.

import { clickproof, clicks, lines, random } from "./clicks.mjs";

const HOUR_MS = 3_600_000;

/** Events as they are shipped, and of each the last revision: some are amended, and all told of at least once. */
export async function shipped(seed, count) {
  const given = clicks(seed, count).map((record, at) => ({
    ...record,
    group: ["de", "gmail.com", null][at % 3],
  }));
  const args = ["classify", "--ruleset", "defender", "--with-record"];
  const output = await clickproof(args, lines(given));
  const last = new Map();
  const events = [];
  const next = random(seed);
  for (const line of output.trimEnd().split("\n")) {
    const { kind = "click", ...rest } = JSON.parse(line);
    if (last.has(rest.event_id)) continue;
    const event = { event: kind, method: "GET", ...rest, kind };
    last.set(event.event_id, event);
    events.push(event);
    if (next() < 0.1) {
      const before = {
        ...event,
        revision: 1,
        click_type: "human",
        rule: "human",
        is_defender_bot: false,
        is_bot: false,
      };
      const amended = { ...event, revision: 2 };
      events.pop();
      events.push(...(next() < 0.5 ? [amended, before] : [before, amended]));
      last.set(event.event_id, amended);
    }
    if (next() < 0.1) events.push(events.at(-1));
  }
  const [{ message_id, recipient_id, link_id, ts_ms, event_id: click_event_id }] = events;
  const about = {
    event: "verify",
    event_id: "v",
    revision: 1,
    ts_ms,
    verified: "rendered",
    click_ts_ms: ts_ms,
  };
  const verify = {
    ...about,
    message_id,
    recipient_id,
    link_id,
    url: null,
    since_load_ms: null,
    click_event_id,
  };
  const alert = {
    event: "alert",
    event_id: "w",
    revision: 1,
    ts_ms,
    message_id: null,
    code: "c",
    severity: "info",
    text: "t",
  };
  for (const other of [verify, alert]) {
    events.push(other);
    last.set(other.event_id, other);
  }
  return { events, last };
}

/** What `report` should say of the last revisions: of each message, link, group and hour the counts in words. */
export function counted(last) {
  const counts = new Map();
  for (const { event, message_id, link_id, url, group, ts_ms, ...rest } of last.values()) {
    if (event !== "click") continue;
    const key = JSON.stringify([message_id, link_id ?? url, group ?? null, ts_ms - (ts_ms % HOUR_MS)]);
    const count = counts.get(key) ?? { clicks: 0, human: 0, people: new Set(), bots: 0 };
    counts.set(key, count);
    count.clicks += 1;
    count.bots += rest.is_defender_bot ? 1 : 0;
    if (rest.click_type !== "human") continue;
    count.human += 1;
    count.people.add(rest.recipient_id);
  }
  const words = ({ clicks, human, people, bots }) => `${clicks} ${human} ${people.size} ${bots}`;
  return new Map([...counts].map(([key, count]) => [key, words(count)]));
}

/** The same of a row of `report`. */
export function told(row) {
  const key = JSON.stringify([row.message_id, row.link_id, row.group, Number(row.hour_ms)]);
  const { clicks, human_clicks, human_recipients, defender_bot_clicks } = row;
  return [key, `${clicks} ${human_clicks} ${human_recipients} ${defender_bot_clicks}`];
}
