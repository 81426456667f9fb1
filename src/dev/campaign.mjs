// The demo's finished campaign: a mail to eight thousand recipients, sent three days ago, as its click records. Invented and
// seeded: who clicks and when stands below, from the field's rough numbers; networks are those of the catalogue.
//
// It goes the way of any import, POST /v1/records, so that what is shown is judged and counted as everything else is.

/** The message, as src/demo/mod.rs names it. */
export const CAMPAIGN = "demo-campaign";

const SENT = 8_000;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const AGE = 72 * HOUR;

/** What goes into one call, well below its mebibyte. */
const RECORDS_A_CALL = 1_000;

const LINKS = ["spring-harvest", "cups", "shop", "recipes", "club", "imprint"];

// Recipients from `from` on, so many of them: who filters their mail decides who clicks first.
const MICROSOFT_365 = { from: 0, count: 2_600 };
const BARRACUDA = { from: 2_600, count: 320 };
const PROOFPOINT = { from: 2_920, count: 260 };

/** People click when they read: 11 % within a minute, half within an hour, some after a day. */
const PEOPLE = [
  [0.11, 8 * SECOND, MINUTE],
  [0.25, MINUTE, 5 * MINUTE],
  [0.52, 5 * MINUTE, HOUR],
  [0.82, HOUR, 12 * HOUR],
  [1, 12 * HOUR, 60 * HOUR],
];

/** Networks that people are at home in: their AS number, country and the first half of an address. */
const HOMES = [
  [7922, "US", "73.92"],
  [701, "US", "71.190"],
  [3320, "DE", "91.7"],
  [2856, "GB", "86.150"],
  [3215, "FR", "90.38"],
  [1136, "NL", "84.85"],
];

const NAVIGATED = {
  accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  accept_language: "en-US,en;q=0.9",
  sec_fetch_site: "none",
  sec_fetch_mode: "navigate",
  sec_fetch_dest: "document",
  sec_fetch_user: "?1",
};
/** What people's browsers send at a time, and what most sandboxes do: a browser's name, and no header that goes with it. */
function agents(ms) {
  // A version ages, and the demo goes on living: a new Chrome comes every four weeks, a new Safari every September.
  const major = 158 + Math.floor((ms - Date.UTC(2026, 10, 17)) / (28 * 24 * HOUR));
  const chrome = (system, device) =>
    `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${major}.0.0.0 ${device}Safari/537.36`;
  const safari = 27 + Math.floor((ms - Date.UTC(2026, 8, 15)) / (365.25 * 24 * HOUR));
  const windows = chrome("Windows NT 10.0; Win64; x64", "");
  const hints = { sec_ch_ua: `"Chromium";v="${major}", "Google Chrome";v="${major}", "Not.A/Brand";v="24"` };
  const iphone =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) " +
    `Version/${safari}.0 Mobile/15E148 Safari/604.1`;
  return {
    browsers: [
      { user_agent: windows, ...NAVIGATED, ...hints },
      { user_agent: chrome("Linux; Android 10; K", "Mobile "), ...NAVIGATED, ...hints },
      { user_agent: iphone, ...NAVIGATED, sec_fetch_user: null },
    ],
    machine: { user_agent: windows, accept: "*/*" },
  };
}

/** All records of the campaign, in the order of time, as if it had been sent three days before `now`, Unix milliseconds. */
export function campaign(now) {
  const sent_at_ms = now - AGE;
  const { browsers, machine } = agents(sent_at_ms);
  const random = seeded(7);
  const below = (end) => Math.floor(random() * end);
  const between = (from, to) => from + below(to - from);
  const one = (list) => list[below(list.length)];
  const everyone = ({ from, count }, share, visit) => {
    for (let n = from; n < from + count; n++) if (random() < share) visit(`r${n}`);
  };
  const records = [];

  function request(recipient, link, after, visitor) {
    records.push({
      message_id: CAMPAIGN,
      recipient_id: recipient,
      link_id: LINKS[link],
      url: `https://tea.example/${LINKS[link]}`,
      kind: "click",
      ts_ms: sent_at_ms + after,
      sent_at_ms,
      links_total: LINKS.length,
      method: "GET",
      http_protocol: "HTTP/2",
      secure: true,
      cookie: "new",
      visitor_id: hex(random, 32),
      ...visitor,
    });
  }

  function open(recipient, after, visitor) {
    request(recipient, 0, after, {
      ...visitor,
      kind: "open",
      link_id: "pixel",
      url: null,
      cookie: null,
      visitor_id: null,
    });
  }

  /** Somebody at home: the same browser and network for all that one does. */
  function person() {
    const [asn, country, prefix] = one(HOMES);
    const ip = `${prefix}.${below(256)}.${between(1, 255)}`;
    return { ...one(browsers), ip, asn, country, visitor_id: hex(random, 32) };
  }

  function sweep(recipient, links, after, visitor, pace) {
    for (let link = 0; link < links; link++) {
      request(recipient, link, after, visitor);
      after += between(...pace);
    }
  }

  // People: every ninth opens and clicks, now and then twice.
  everyone({ from: 0, count: SENT }, 0.115, (recipient) => {
    const chance = random();
    const [, from, to] = PEOPLE.find(([until]) => chance < until);
    const after = between(from, to);
    const visitor = person();
    open(recipient, after - between(2 * SECOND, 6 * SECOND), visitor);
    request(recipient, random() < 0.6 ? 0 : below(LINKS.length), after, visitor);
    if (random() < 0.2) {
      const again = after + between(20 * SECOND, 5 * MINUTE);
      request(recipient, between(1, LINKS.length), again, {
        ...visitor,
        cookie: "returning",
        sec_fetch_site: "cross-site",
      });
    }
  });
  // Mail programs that fetch images ahead: opens by nobody.
  everyone({ from: 4_000, count: 4_000 }, 0.35, (recipient) => {
    const ip = `66.249.${between(80, 96)}.${between(1, 255)}`;
    const user_agent =
      "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
    open(recipient, between(20 * SECOND, 8 * HOUR), {
      user_agent,
      ip,
      asn: 15169,
      country: "US",
      cookie: null,
    });
  });

  const microsoft = () => ({
    ...machine,
    ip: `40.92.${below(256)}.${between(1, 255)}`,
    asn: 8075,
    country: "US",
  });
  // Safe Attachments detonates every link of a copy within a minute of the send.
  everyone(MICROSOFT_365, 0.07, (recipient) => {
    sweep(recipient, LINKS.length, between(3 * SECOND, 40 * SECOND), microsoft(), [200, 2 * SECOND]);
  });
  // Safe Links asks as somebody clicks: two clicks within half a second.
  everyone(MICROSOFT_365, 0.05, (recipient) => {
    const after = between(2 * MINUTE, 10 * HOUR);
    const link = below(LINKS.length);
    const referer = "https://nam02.safelinks.protection.outlook.com/";
    request(recipient, link, after, { ...microsoft(), referer });
    request(recipient, link, after + between(80, 450), {
      ...person(),
      referer,
      sec_fetch_site: "cross-site",
    });
  });
  // Campaign correlation: one link across many copies in one minute, half an hour later.
  everyone(MICROSOFT_365, 0.03, (recipient) => {
    request(recipient, 2, 31 * MINUTE + below(50 * SECOND), microsoft());
  });
  // An investigation, a day later.
  everyone(MICROSOFT_365, 0.02, (recipient) => {
    sweep(recipient, between(1, 4), 26 * HOUR + below(20 * MINUTE), microsoft(), [5 * SECOND, MINUTE]);
  });
  // Mail gateways look at what they let in, most of its links at once.
  for (const [gateway, share, prefix, asn] of [
    [BARRACUDA, 0.6, "209.222.82", 15324],
    [PROOFPOINT, 0.5, "148.163.150", 22843],
  ]) {
    everyone(gateway, share, (recipient) => {
      const visitor = { ...machine, ip: `${prefix}.${between(1, 255)}`, asn, country: "US" };
      sweep(recipient, between(2, 6), between(5 * SECOND, 3 * MINUTE), visitor, [100, SECOND]);
    });
  }

  records.sort((a, b) => a.ts_ms - b.ts_ms);
  records.forEach((record) => (record.event_id = uuid7(record.ts_ms, random)));
  return records;
}

/**
 * Brings the campaign in, unless it is there: `ask` calls the API, a path and what `fetch` takes beside it. Resolves with the
 * number of records that were new.
 */
export async function bringCampaign(ask, now = Date.now()) {
  const call = async (path, init) => {
    const answer = await ask(path, init);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${init?.method ?? "GET"} ${path}: ${answer.status} ${text.trim()}`);
    return text && JSON.parse(text);
  };
  const at = `/v1/messages/${CAMPAIGN}`;
  if ((await call(at)).clicks > 0) return 0;
  const about = JSON.stringify({ title: "The spring harvest is here", sent: SENT });
  await call(at, { method: "PUT", headers: { "Content-Type": "application/json" }, body: about });
  const records = campaign(now);
  let stored = 0;
  for (let from = 0; from < records.length; from += RECORDS_A_CALL) {
    const lines = records.slice(from, from + RECORDS_A_CALL).map((record) => JSON.stringify(record));
    const taken = await call("/v1/records", { method: "POST", body: lines.join("\n") });
    if (taken.bad.length > 0) throw new Error(`POST /v1/records: ${taken.bad[0].message}`);
    stored += taken.stored;
  }
  return stored;
}

/** Mulberry32: the same numbers, from 0 to below 1, for the same seed. */
function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function hex(random, digits) {
  return Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join("");
}

function uuid7(ms, random) {
  const time = ms.toString(16).padStart(12, "0");
  const rest = hex(random, 18);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-8${rest.slice(3, 6)}-${rest.slice(6)}`;
}
