// The demo's pages: a mail, the page that its links lead to, the story of both, and a finished campaign's numbers. They are filled
// in from templates (static/demo), and what others sent is only ever text on them.

import { count, text } from "./html.mjs";

/** The signal that says nothing on this machine: browsers speak newer versions of HTTP by TLS alone. */
const OF_PLAIN_HTTP = "+old_protocol";

/** What a campaign's page says where there are no records. */
const NOTHING = "There is no campaign here yet: npm start brings one in.";

/** Whom a type of click is; every other is a scanner's. */
const WHO = {
  human: ["person", "A person"],
  proxy_open: ["nobody", "An image proxy, for somebody or for nobody"],
  null: ["nobody", "Not judged"],
};

/** What a click says of the page behind it. */
const PROOFS = {
  interacted: "Somebody touched the page behind it.",
  rendered: "The page behind it was shown; nobody has touched it yet.",
  none: "Nothing is known of the page behind it yet.",
};

/** What rules say that are in no table. */
const OTHER_RULES = {
  image_proxy: "an image proxy, or a privacy prefetch, asks for its users before they read",
  one_click: "the mail provider asks, because its user pressed the provider's own button",
  not_a_click: "the published table judges clicks alone",
};

/** Fills a template: `{{name}}` with a value as text, `{{&name}}` with one that is HTML already; nothing where there is none. */
export const fill = (template, values) =>
  template.replace(/\{\{(&?)(\w+)\}\}/g, (_, isHtml, name) => {
    const value = values[name] ?? "";
    return isHtml ? value : text(value);
  });

/** The mail: its message and its links are slots of the same names. */
export const mail = (files, data) => fill(files.mail, { ...data, settle: seconds(data.final_after_ms) });

/** The page behind its links; it leads to the story of its mail where that is known, and else to a mail. */
export const landing = (files, { message }) =>
  fill(files.landing, { story: message ? `/demo/story?message=${message}` : "/demo" });

/** What became of a mail: the requests that the API lists, or the first hundred of them. */
export function story(files, { message, final_after_ms, more, records }, words) {
  const clicks = records.filter(({ kind }) => kind === "click");
  const people = clicks.filter(({ click_type }) => click_type === "human").length;
  const opens = records.filter(({ kind }) => kind === "open").length;
  let state = "Every request to the mail's links, oldest first:";
  if (more) state = "The first hundred requests, oldest first:";
  if (records.length === 0) state = "Nothing has come yet: open the mail, or follow one of its links.";
  return fill(files.story, {
    message,
    settle: seconds(final_after_ms),
    clicks: count(clicks.length),
    people: count(people),
    scanners: count(clicks.length - people),
    opens: count(opens),
    acts: count(records.length - clicks.length - opens),
    state,
    records: records.map((listed) => record(files, listed, words)).join(""),
  });
}

/** What a campaign comes to, by its report: as a naive tracker counts, and as Clickproof does. */
export function campaign(files, report) {
  const { message_id, clicks, recipients, human_clicks, human_recipients, sent, unsettled } = report;
  let state = unsettled ? `${count(unsettled)} verdicts are provisional still.` : "";
  if (clicks === 0) state = NOTHING;
  return fill(files.campaign, {
    message: message_id,
    state,
    sent: count(sent),
    clicks: count(clicks),
    recipients: count(recipients),
    naive_rate: tenths(clicks, sent),
    people: count(human_clicks),
    readers: count(human_recipients),
    rate: tenths(human_recipients, sent),
    machines: count(clicks - human_clicks),
  });
}

/** One request as the story tells it. */
function record(files, listed, words) {
  const { kind, click_type, ruleset, rule, ts_ms, sent_at_ms } = listed;
  const [its, who] = WHO[click_type] ?? ["scanner", "A scanner"];
  const name = String(ruleset).split("@")[0];
  const reasons = listed.reasons.filter((reason) => reason !== OF_PLAIN_HTTP);
  return fill(files.record, {
    ...listed,
    class: its,
    who,
    state: listed.final ? "final" : "provisional",
    at: `${new Date(ts_ms).toISOString().slice(11, 19)} UTC`,
    after: seconds(ts_ms - sent_at_ms),
    page: kind === "click" ? (PROOFS[listed.verified] ?? PROOFS.none) : "",
    because: OTHER_RULES[rule] ?? words.rule[`${name}/${rule}`],
    reasons: reasons.map((reason) => spoken(reason, words)).join(""),
  });
}

/** A signal that spoke, and for whom. */
function spoken(reason, words) {
  const side = reason.startsWith("-") ? "person" : "scanner";
  const said = words.reason[reason] ?? reason.slice(1).replaceAll("_", " ");
  return `<li><b class="${side}">for a ${side}</b> ${text(said)}</li>`;
}

/** A share in percent, to tenths, as the report has it. */
export const tenths = (part, whole) =>
  whole > 0 ? `${(Math.round((part * 1_000) / whole) / 10).toFixed(1)} %` : "not known";

/** Milliseconds as seconds, cut to tenths. */
export const seconds = (ms) => `${Math.trunc(ms / 100) / 10} s`;
