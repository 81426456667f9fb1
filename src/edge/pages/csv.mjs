// The report's numbers as CSV (RFC 4180): one table for all of them, in which `section` says what a line is about.
//
// | section | name | detail | numbers |
// | --- | --- | --- | --- |
// | `message` | `message_id` | the title | all |
// | `time` | `first`, `last` | the minute, UTC | |
// | `count` | the report's field | | `clicks`, or `recipients` where the name says so |
// | `type` | click type | | `clicks` |
// | `vendor` | vendor | | `clicks` |
// | `confidence` | `certain`, `probable` | | `clicks` |
// | `group` | group | | `sent`, `human_recipients`, `clicks`, `human_clicks` |
// | `group_type` | group | click type | `clicks` |
// | `link` | `link_id` | URL | `human_recipients`, `clicks`, `human_clicks` |
// | `minute` | its beginning, UTC | click type | `clicks` |
// | `delay` | seconds since the clock from which the step counts | click type | `clicks` |
// | `open` | `total`, or the open's type | | `clicks`: how many opens |
// | `act` | `unsubscribe`, `confirm`, `machines` | | `clicks`: how many acts |
// | `verified` | `rendered`, `interacted` | | `clicks` |
//
// A cell that is not known is empty. One that a spreadsheet would take for a formula (it begins with `=`, `+`, `-` or `@`, a tab or
// a line's end) begins with an apostrophe in front of that: ids and titles are senders' own.

import { iso } from "./html.mjs";

const NUMBERS = ["sent", "recipients", "human_recipients", "clicks", "human_clicks"];

/** A text: quoted where it must be, and never a formula. */
function cell(sent) {
  const safe = /^[=+\-@\t\r\n]/.test(sent) ? `'${sent}` : sent;
  return /[,"\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The numbers of a report as CSV. */
export function csv(report) {
  const lines = [["section", "name", "detail", ...NUMBERS].join(",")];
  const line = (section, name, detail, numbers = {}) => {
    const cells = NUMBERS.map((field) => numbers[field] ?? "");
    lines.push([section, cell(name), cell(detail), ...cells].join(","));
  };
  const counts = (section, byName) => {
    for (const [name, clicks] of Object.entries(byName)) line(section, name, "", { clicks });
  };
  const byType = (section, name, types) => {
    for (const [type, clicks] of Object.entries(types)) line(section, name, type, { clicks });
  };
  line("message", report.message_id, report.title ?? "", report);
  if (report.first_ms !== null) line("time", "first", iso(report.first_ms));
  if (report.known_from_ms) line("time", "known from", iso(report.known_from_ms));
  if (report.last_ms !== null) line("time", "last", iso(report.last_ms));
  for (const field of ["unsettled", "unreadable", "repeats", "is_defender_bot"]) {
    line("count", field, "", { clicks: report[field] });
  }
  for (const field of ["machine_only_recipients", "safe_links_recipients"]) {
    line("count", field, "", { recipients: report[field] });
  }
  counts("type", report.by_type);
  counts("vendor", report.by_vendor);
  counts("confidence", report.by_confidence);
  for (const [name, group] of Object.entries(report.by_group)) {
    line("group", name, "", group);
    byType("group_type", name, group.by_type);
  }
  for (const link of report.links) line("link", link.link_id ?? "", link.url ?? "", link);
  for (const { ts_ms, by_type } of report.timeline) byType("minute", iso(ts_ms), by_type);
  for (const { from_s, by_type } of report.delay) byType("delay", String(from_s), by_type);
  line("open", "total", "", { clicks: report.opens.total });
  counts("open", report.opens.by_type);
  counts("act", report.acts);
  counts("verified", report.verified);
  return `${lines.join("\r\n")}\r\n`;
}
