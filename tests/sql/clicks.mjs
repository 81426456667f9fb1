// Random click records, dense at every bound of the published table and hostile where texts are read, and what the command
// line says of them.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { root } from "../../src/dev/run.mjs";

const SENT_MS = Date.UTC(2026, 10, 22, 12);
const SAFE_LINKS = "https://nam02.safelinks.protection.outlook.com/";

/** The columns that the SQL reads, in the order of every table here. */
export const COLUMNS = [
  "event_id",
  "message_id",
  "recipient_id",
  "link_id",
  "url",
  "kind",
  "ts_ms",
  "sent_at_ms",
  "delivered_at_ms",
  "ip",
  "referer",
];

const MICROSOFT = [
  "40.92.1.1",
  "52.96.0.0",
  "52.111.255.255",
  "2a01:111::1",
  "::ffff:40.92.7.7",
  "::ffff:285c:101",
];

// In and beside Microsoft's networks, in every spelling that an address may have, and some that it may not.
const ADDRESSES = [
  ...MICROSOFT,
  "203.0.113.9",
  "40.91.255.255",
  "40.92.0.0",
  "40.92.255.255",
  "40.110.0.0",
  "52.95.255.255",
  "52.112.0.0",
  "23.103.132.0",
  "23.103.132.127",
  "23.103.132.199",
  "23.103.132.200",
  "0.0.0.0",
  "255.255.255.255",
  "040.92.1.1",
  "40.092.1.1",
  "40.92.1.01",
  "40.92.1.00",
  "40.92.1",
  "40.92.1.1.",
  "40.92.1.1.1",
  "40.92.1.256",
  "40.92..1",
  "40.92.1.1:80",
  "40.92.1.1/32",
  " 40.92.1.1",
  "40.92.1.1 ",
  "40.92.1.1\n",
  "+40.92.1.1",
  "0x28.92.1.1",
  "4０.92.1.1",
  "681378049",
  "::ffff:40.92.1.01",
  "::FFFF:40.92.1.1",
  "0:0:0:0:0:ffff:40.92.1.1",
  "0:0:0:0:0:FFFF:285C:0101",
  "0000::ffff:40.92.1.1",
  "0::0:ffff:285c:101",
  "::ffff:0:285c:101",
  "::ffff:0:40.92.1.1",
  "::40.92.1.1",
  "::285c:101",
  "64:ff9b::40.92.1.1",
  "::ffff:40.92.1.1:0",
  "40.92.1.1::",
  "::ffff:40.92.1.256",
  "::ffff:40.91.255.255",
  "::ffff:285b:ffff",
  "::ffff:285d:0",
  "::ffff:0028:0",
  "1::ffff:285c:101",
  "2a01:111:0:0:0:0:0:1",
  "2A01:0111::1",
  "2a01:00111::1",
  "2a01:111:ffff:ffff:ffff:ffff:ffff:ffff",
  "2a01:110:ffff:ffff:ffff:ffff:ffff:ffff",
  "2a01:112::",
  "2a01:111::",
  "2a01:111::1:2:3:4:5",
  "2a01:111::1:2:3:4:5:6",
  "2a01:111:1:2:3:4:5::",
  "2a01:111:1:2:3:4:5:6::",
  "2a01:111::1:2:3:40.92.1.1",
  "2a01:111::1:2:3:4:40.92.1.1",
  "2a01:111:1:2:3:4:40.92.1.1",
  "2a01:111:1:2:3:4:5:40.92.1.1",
  "2a01:111:1:2:3:4:5:6:7",
  "2a01:111:1:2:3:4:5",
  "2a01:111",
  "2a01:111:",
  "2a01:111:::1",
  "2a01::111::1",
  "::2a01:111",
  "::2:3:4:5:6:7:8",
  "::1:2:3:4:5:6:7:8",
  "::",
  ":",
  ":::",
  "[2a01:111::1]",
  "2a01:111::1%eth0",
  "2a01:111::g",
  "2a01:111::1\n",
  "junk",
  "",
];

// Safe Links as browsers understand it, and as they do not.
const REFERERS = [
  SAFE_LINKS,
  "https://safelinks.protection.outlook.com",
  "http://EUR01.SafeLinks.Protection.Outlook.COM.:8443/?url=x",
  "https://safelinks.protection.outlook.com..",
  "https://a.b.c.safelinks.protection.outlook.com:443#x",
  "https://.safelinks.protection.outlook.com/",
  "https://evilsafelinks.protection.outlook.com/",
  "https://safelinks.protection.outlook.com.evil.example/",
  "https://safelinks-protection.outlook.com/",
  "https://safelinksXprotection.outlook.com/",
  "https://evil.example/?u=https://safelinks.protection.outlook.com/",
  "https://evil.example/safelinks.protection.outlook.com/",
  "https://evil.example#@safelinks.protection.outlook.com/",
  "https://safelinks.protection.outlook.com@evil.example/",
  "https://ann:secret@safelinks.protection.outlook.com/",
  "https://a@b@safelinks.protection.outlook.com/",
  "https://evil.example/@safelinks.protection.outlook.com/",
  "https://evil.example\\@safelinks.protection.outlook.com/",
  "https://safelinks.protection.outlook.com\\@evil.example/",
  "https:\\\\safelinks.protection.outlook.com\\x",
  "https:safelinks.protection.outlook.com/",
  "https:////safelinks.protection.outlook.com/",
  "//safelinks.protection.outlook.com/",
  "safelinks.protection.outlook.com",
  "  https://safelinks.protection.outlook.com  ",
  "https://safelinks.protection.outlook.com /",
  "ht\ttps://safe\nlinks.protection\r.outlook.com/",
  "\u00a0https://safelinks.protection.outlook.com/",
  "https://safelinks.protection.outlook.com:/",
  "https://safelinks.protection.outlook.com:00065535/",
  "https://safelinks.protection.outlook.com:65536/",
  "https://safelinks.protection.outlook.com:9999999/",
  "https://safelinks.protection.outlook.com:8a/",
  "https://safelinks.protection.outlook.com:+80/",
  "https://%73afelinks.protection.outlook.com/",
  "https://nam.%53AFELINK%73%2Eprotection%2e%6Futlook.%43om%2E/",
  "https://safelinks.protection.outlook%2ecom:80/",
  "https://safelinks.protection.outlook.%25com/",
  "https://a%2fb.safelinks.protection.outlook.com/",
  "https://a%zz.safelinks.protection.outlook.com/",
  "https://a%7Eb_c*d.safelinks.protection.outlook.com/",
  "https://a;b.safelinks.protection.outlook.com/",
  "https://safelinks;protection.outlook.com/",
  "https://a<b.safelinks.protection.outlook.com/",
  "https://a'b\"c`d{e}.safelinks.protection.outlook.com/",
  "https://[::1].safelinks.protection.outlook.com/",
  "https://münchen.safelinks.protection.outlook.com/",
  "https://ｓafelinks.protection.outlook.com/",
  "https://safelin\u212as.protection.outlook.com/",
  "https://ſafelinks.protection.outlook.com/",
  "https://münchen@safelinks.protection.outlook.com/ä?ö#ü",
  "wss://safelinks.protection.outlook.com/",
  "ftp://safelinks.protection.outlook.com/",
  "file://safelinks.protection.outlook.com/x",
  "file:///safelinks.protection.outlook.com/x",
  "file:/safelinks.protection.outlook.com/x",
  "android-app://safelinks.protection.outlook.com/",
  "android-app:safelinks.protection.outlook.com/",
  "x+y-z.1://ann@NAM.safelinks.protection.outlook.com:80",
  "x://%73afelinks.protection.outlook.com/",
  "x://ü.safelinks.protection.outlook.com/",
  "x://a%b.safelinks.protection.outlook.com/",
  "x://a\\b@safelinks.protection.outlook.com/",
  "x://a\\b.safelinks.protection.outlook.com/",
  "x://safelinks.protection.outlook.com\\/",
  "x:///safelinks.protection.outlook.com/",
  "1x://safelinks.protection.outlook.com/",
  "://safelinks.protection.outlook.com/",
  "https://outlook.office.com/",
  "https://",
  "http",
  " ",
  "",
];

/** Numbers from 0 to 1 that are the same for the same seed (Marsaglia's xorshift of 32 bits). */
export function random(seed) {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** So many records at least, of messages of some hundred each. */
export function clicks(seed, count) {
  const records = spellings(`m${seed}`);
  for (let message = 0; records.length < count; message += 1) {
    for (const record of messageOf(`m${seed}.${message}`, random(seed * 1_000_003 + message))) {
      records.push(record);
    }
  }
  return records;
}

/** Every address and every referer, where they decide. */
function spellings(message_id) {
  const record = (event_id, delta, fields) => ({
    event_id: `${event_id}${message_id}`,
    message_id,
    recipient_id: event_id,
    link_id: event_id,
    kind: "click",
    sent_at_ms: SENT_MS,
    ts_ms: SENT_MS + delta,
    ...fields,
  });
  return [
    ...ADDRESSES.map((ip, at) => record(`ip${at}`, 3_600_001, { ip })),
    ...REFERERS.map((referer, at) => record(`early${at}`, 4_999, { referer })),
    ...REFERERS.map((referer, at) => record(`late${at}`, 3_600_001, { referer, ip: MICROSOFT[0] })),
  ];
}

function messageOf(message_id, next) {
  const below = (end) => Math.floor(next() * end);
  const one = (choices) => choices[below(choices.length)];
  const often = (share) => next() < share;
  const records = [];
  let events = 0;
  const add = (fields, delta) => {
    // Ids sort by their bytes, whatever a locale says; and never as they were made.
    const event_id = `${one(["a", "B", "_", "é", "0", "z"])}${below(10)}${message_id}-${(events += 1)}`;
    const clock = fields.delivered_at_ms ?? SENT_MS;
    const record = {
      event_id,
      message_id,
      kind: "click",
      sent_at_ms: SENT_MS,
      ts_ms: clock + delta,
      ...fields,
    };
    records.push(record);
    return record;
  };
  const someone = () => `r${below(12)}`;
  const linked = (link) =>
    one([
      { link_id: link, url: `https://brand.example/${link}` },
      { link_id: link, url: `https://brand.example/${link}` },
      { link_id: `https://brand.example/${link}`, url: null },
      { link_id: null, url: `https://brand.example/${link}` },
      { link_id: link, url: "" },
    ]);
  const address = () => one([one(MICROSOFT), one(MICROSOFT), "203.0.113.9", null]);
  const referer = (share) => (often(share) ? SAFE_LINKS : one([null, null, "", "https://mail.example/"]));
  const delivered = () => (often(0.3) ? { delivered_at_ms: SENT_MS + below(100_000) } : {});

  for (let scene = 0; scene < 24; scene += 1) {
    const link = linked(`l${below(4)}`);
    const recipient_id = someone();
    switch (below(7)) {
      // Neighbours, some of them at the bound of the check at delivery.
      case 0: {
        const clock = delivered();
        let delta = one([-3, 4_400, 4_998, 4_999, 5_000, 90_000, 3_599_500]);
        for (let left = 2 + below(5); left > 0; left -= 1) {
          add({ recipient_id, ...link, ...clock, ip: address(), referer: referer(0.5) }, delta);
          delta += one([0, 1, 250, 499, 500, 501, 502]);
        }
        break;
      }
      // The sandbox.
      case 1:
        for (let left = 3 + below(4); left > 0; left -= 1) {
          const delta = one([-5_000, 0, 1, 30_000, 59_998, 59_999, 59_999, 60_000, 60_001]);
          add({ recipient_id, ...linked(`l${below(9)}`), ip: address(), referer: referer(0.1) }, delta);
        }
        break;
      // A campaign: 28 to 32 recipients, first to last at the window's length; some come again.
      case 2: {
        const [begin, span] = [one([0, 70_000, 3_700_000]) + below(1_000), one([59_999, 60_000, 60_001])];
        const recipients = one([28, 29, 30, 30, 30, 31, 32]);
        const from = below(3);
        // Half of them have a URL of their own.
        const target = often(0.5) ? link : linked(`k${scene}`);
        const again = one([0, 0.2]);
        for (let number = 0; number < recipients; number += 1) {
          const delta = begin + (number === 0 ? 0 : number === 1 ? span : below(span + 1));
          const fields = {
            recipient_id: `c${from + number}`,
            ...target,
            ip: address(),
            referer: referer(0.05),
          };
          add(fields, delta);
          if (often(again)) add(fields, delta + one([1, 59_999, 60_000, 60_001, 60_002, 120_001]));
        }
        break;
      }
      // Long after.
      case 3:
        add(
          { recipient_id, ...link, ...delivered(), ip: one(ADDRESSES), referer: referer(0.2) },
          one([3_599_999, 3_600_000, 3_600_001, 86_400_000]),
        );
        break;
      case 4:
        add(
          { recipient_id: `h${below(500)}`, ...link, ip: one(ADDRESSES), referer: one(REFERERS) },
          one([4_999, 5_000, 3_600_001]),
        );
        break;
      // Changed in one place: nobody has thought of these.
      case 5:
        add(
          {
            recipient_id: `h${below(500)}`,
            ...link,
            ip: changed(one(ADDRESSES), "0123456789abcdefABCDEF:.% g", below, one),
            referer: changed(one(REFERERS), "%:;/\\@.#? sSaA3575[]|^<_-é0", below, one),
          },
          one([4_999, 3_600_001]),
        );
        break;
      // What takes no part, and what is told twice.
      default: {
        const kind = one(["open", "unsubscribe", "confirm"]);
        add({ recipient_id, ...link, kind, ip: address(), referer: referer(0.5) }, one([100, 90_100]));
        const record = add(
          { recipient_id, ...link, ...delivered(), ip: address() },
          one([100, 90_100, 3_600_001]),
        );
        records.push({ ...record });
        if (record.delivered_at_ms) records.push({ ...record, delivered_at_ms: null });
        if (often(0.3)) delete record.kind;
      }
    }
  }
  return records;
}

/** A text with one of its characters changed, left out or doubled. */
function changed(text, characters, below, one) {
  const at = below(text.length + 1);
  const [before, after] = [text.slice(0, at), text.slice(at)];
  return one([
    before + one([...characters]) + after,
    before + after.slice(1),
    before + one([...characters]) + after.slice(1),
  ]);
}

/** Runs the command; its output. */
export function clickproof(args, input = "") {
  const child = spawn("cargo", ["run", "--quiet", "--bin", "clickproof", "--", ...args], {
    cwd: root,
    stdio: ["pipe", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    const blocks = [];
    child.on("error", reject);
    child.stdout.on("data", (block) => blocks.push(block));
    child.on("close", (status) => {
      if (status === 0) resolve(Buffer.concat(blocks).toString());
      else reject(new Error(`clickproof ${args[0]} ends with status ${status}`));
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/** Lines of JSON. */
export function lines(records) {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

/** What the command line says of the records by the published table, by event. */
export async function judged(records, flags = []) {
  const output = await clickproof(["classify", "--ruleset", "defender", ...flags], lines(records));
  return byEvent(
    output
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  );
}

/** Verdicts as they are compared. */
export function byEvent(rows) {
  return new Map(
    rows.map(({ event_id, click_type, rule, paired_with, is_defender_bot }) => [
      event_id,
      [click_type, rule, paired_with, is_defender_bot].map((value) => String(value ?? null)).join(" "),
    ]),
  );
}

/** The events of which two have not the same to say, the first few in words. */
export function differences(expected, found, records) {
  const ids = [...new Set([...expected.keys(), ...found.keys()])];
  const different = ids.filter((id) => expected.get(id) !== found.get(id));
  const words = different.slice(0, 5).map((id) => {
    const record = records.find(({ event_id }) => event_id === id);
    return `${JSON.stringify(record)}\n  expected ${expected.get(id)}\n  found    ${found.get(id)}`;
  });
  return { count: different.length, words: words.join("\n") };
}

/** Fails where they differ, or where the records do not try every rule. */
export function same(expected, found, records) {
  const { count, words } = differences(expected, found, records);
  assert.equal(count, 0, `${count} of ${expected.size} differ:\n${words}`);
  const rules = new Set([...expected.values()].map((verdict) => verdict.split(" ")[1]));
  assert.equal(rules.size, 7, [...rules].join(", "));
}
