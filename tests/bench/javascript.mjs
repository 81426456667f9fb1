// The peer: a click worker in JavaScript as a good engineer would write it in an afternoon, with what the platform and npm
// offer. It does what Clickproof's edge does for a click: checks the link's signature, looks the network up, judges agent and
// headers, logs the record as a line, sets a signed first-party cookie, redirects. Where an object is bound, it gives that
// the record once the answer is out: one call and one row a click.
//
// A link is `/c/{payload}.{mac}`: base64url of a JSON array, and of its HMAC-SHA-256. peer.mjs bundles this and mints links.

import { DurableObject } from "cloudflare:workers";
import { isbot } from "isbot";

// Scanners' networks, put in by the bundler: `[first, last, vendor]`, disjoint and ascending. IPv6 as decimal texts.
/* global NETWORKS */
const V4 = NETWORKS.v4;
const V6 = NETWORKS.v6.map(([first, last, vendor]) => [BigInt(first), BigInt(last), vendor]);

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const BASE64URL = { alphabet: "base64url", omitPadding: true };
const HMAC = { name: "HMAC", hash: "SHA-256" };

let key;

export default {
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/rows/")) {
      return new Response(String(await env.CLICKS.getByName(pathname.slice(6)).rows()));
    }
    key ??= await crypto.subtle.importKey("raw", encoder.encode(env.SECRET), HMAC, false, ["sign", "verify"]);

    const link = pathname.startsWith("/c/") && (await open(pathname.slice(3)));
    if (!link) return new Response("Not found", { status: 404 });
    const [message_id, recipient_id, link_id, sent_at_ms, url] = link;

    const { headers, cf } = request;
    const known = await visitor(headers.get("cookie"));
    const id = known ?? crypto.randomUUID();
    const record = {
      event_id: crypto.randomUUID(),
      message_id,
      recipient_id,
      link_id,
      url,
      ts_ms: Date.now(),
      sent_at_ms,
      method: request.method,
      ip: headers.get("cf-connecting-ip"),
      asn: cf?.asn,
      country: cf?.country,
      user_agent: headers.get("user-agent"),
      referer: headers.get("referer"),
      accept: headers.get("accept"),
      accept_language: headers.get("accept-language"),
      sec_fetch_site: headers.get("sec-fetch-site"),
      sec_fetch_mode: headers.get("sec-fetch-mode"),
      sec_fetch_dest: headers.get("sec-fetch-dest"),
      sec_fetch_user: headers.get("sec-fetch-user"),
      sec_purpose: headers.get("sec-purpose"),
      sec_ch_ua: headers.get("sec-ch-ua"),
      x_forwarded_for: headers.get("x-forwarded-for"),
      http_protocol: cf?.httpProtocol,
      cookie: known ? "returning" : "new",
      visitor_id: id,
    };
    Object.assign(record, judge(record));
    const json = JSON.stringify({ event: "click", ...record });
    console.log(json);
    if (env.CLICKS) context.waitUntil(env.CLICKS.getByName(message_id).record(record.event_id, json));

    return new Response(null, {
      status: 302,
      headers: {
        location: url,
        "cache-control": "no-store, private",
        "x-robots-tag": "noindex, nofollow",
        "set-cookie": `__Host-cp=${id}.${await sign(id)}; Secure; HttpOnly; Path=/; SameSite=Lax; Max-Age=31536000`,
      },
    });
  },
};

/** The rows of one message. */
export class Clicks extends DurableObject {
  constructor(context, env) {
    super(context, env);
    this.sql = context.storage.sql;
    this.sql.exec(
      "CREATE TABLE IF NOT EXISTS clicks (id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID",
    );
  }

  record(id, json) {
    this.sql.exec("INSERT OR IGNORE INTO clicks VALUES (?, ?)", id, json);
  }

  rows() {
    return this.sql.exec("SELECT count(*) AS n FROM clicks").one().n;
  }
}

/** What a link says, where its signature holds. */
async function open(token) {
  const [payload, mac] = token.split(".");
  if (!mac || !(await holds(payload, mac))) return null;
  return JSON.parse(decoder.decode(Uint8Array.fromBase64(payload, BASE64URL)));
}

/** The visitor that the cookie names, where its signature holds. */
async function visitor(cookies) {
  const [id, mac] = /(?:^|; )__Host-cp=([^;]+)/.exec(cookies ?? "")?.[1].split(".") ?? [];
  return mac && (await holds(id, mac)) ? id : null;
}

async function sign(text) {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text))).toBase64(BASE64URL);
}

async function holds(text, mac) {
  try {
    return await crypto.subtle.verify(
      "HMAC",
      key,
      Uint8Array.fromBase64(mac, BASE64URL),
      encoder.encode(text),
    );
  } catch {
    return false;
  }
}

/** Whether a person or a scanner made the click, as far as one request shows. */
function judge(record) {
  const vendor = network(record.ip);
  if (vendor) return { click_type: "scanner_gateway", vendor };
  if (!record.user_agent || isbot(record.user_agent)) return { click_type: "scanner_declared" };
  if (record.method !== "GET" || record.sec_purpose) return { click_type: "scanner_declared" };
  // Browsers of the last years say what a request is for, and a click is a navigation.
  const isModern = /(Chrome|Firefox|Version)\/\d{3}/.test(record.user_agent);
  if (isModern && !record.sec_fetch_mode) return { click_type: "scanner_headless" };
  if (record.sec_fetch_mode && record.sec_fetch_mode !== "navigate")
    return { click_type: "scanner_headless" };
  if (record.sec_fetch_dest && record.sec_fetch_dest !== "document")
    return { click_type: "scanner_headless" };
  return { click_type: "human" };
}

function network(ip) {
  if (!ip) return null;
  return ip.includes(":") ? find(V6, v6(ip)) : find(V4, v4(ip));
}

function v4(ip) {
  return ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function v6(ip) {
  const [head, tail = ""] = ip.split("::");
  const groups = (text) => text.split(":").filter(Boolean);
  const [first, last] = [groups(head), groups(tail)];
  const all = [...first, ...Array(8 - first.length - last.length).fill("0"), ...last];
  return BigInt(`0x${all.map((group) => group.padStart(4, "0")).join("")}`);
}

function find(ranges, address) {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle][1] < address) low = middle + 1;
    else high = middle;
  }
  const range = ranges[low];
  return range && range[0] <= address ? range[2] : null;
}
