// Mints Clickproof's links: Node 18 or later (Deno, Bun), no dependency, this one file.
//
//     import { Minter, unsubscribeHeaders } from "./clickproof.mjs";
//
//     const minter = new Minter(process.env.LINK_KEYS, "https://click.brand.example");
//     const copy = { message_id: "spring", recipient_id: "r1", sent_at_ms: Date.now(), links_total: 1 };
//     minter.click(copy, "cta", "https://brand.example/landing"); // https://click.brand.example/c/…
//     minter.open(copy, "pixel"); // the src of an image
//     unsubscribeHeaders(minter.unsubscribe(copy, "stop")); // both must be signed by DKIM
//
// A copy is one recipient's mail. `links_total` counts its click links; `group` may be left out, and so may `shards`, which is 1 then
// and the same for all copies of a message. Ids are never mail addresses.
// What cannot be minted throws a RangeError that names the field: a bad link would stay dead in its mailbox. Whoever has
// LINK_KEYS can make links that your click domain redirects from: only what sends mail may hold it.

import { createHmac } from "node:crypto";

const KINDS = { click: [0, "c"], open: [1, "o"], unsubscribe: [2, "u"], confirm: [3, "u"] };
const SCHEMES = ["", "http://", "https://"];
const ID = /^[A-Za-z0-9._~-]{1,64}$/;
const MESSAGE_ID = /^(?!\.{1,2}$)[A-Za-z0-9._~@+=$!:-]{1,128}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const NAME = "(?:[A-Za-z0-9_-]+\\.)*[A-Za-z][A-Za-z0-9_-]*\\.?";
// Stricter than the Worker: no IPv6, no escapes in the host. What it takes, browsers and the Worker take.
const URL_FORM = new RegExp(
  `^https?://(?:${NAME}|${BYTE}(?:\\.${BYTE}){3})(?::([0-9]{0,5}))?(?:[/?#][!-~]*)?$`,
);

/** Mints links of one click domain. `keys` is LINK_KEYS (kid:base64,…; the first signs), `baseUrl` scheme and host. */
export class Minter {
  #kid;
  #key;
  #base;

  constructor(keys, baseUrl) {
    [this.#kid, this.#key] = signingKey(keys);
    this.#base = checkedUrl("base_url", baseUrl).replace(/\/+$/, "");
    if (/[/?#]/.test(this.#base.split("://")[1]))
      throw new RangeError("base_url: must be scheme and host alone, such as https://click.brand.example");
  }

  /** A link to `url`, byte for byte. */
  click(copy, linkId, url) {
    return this.#href("click", copy, linkId, checkedUrl("url", url));
  }

  /** An image that tells of the mail's opening. */
  open(copy, linkId) {
    return this.#href("open", copy, linkId, "");
  }

  /** A page with a button that unsubscribes, and what mail providers post to. */
  unsubscribe(copy, linkId) {
    return this.#href("unsubscribe", copy, linkId, "");
  }

  /** A page with a button that confirms, then leads to `url` where one is given. */
  confirm(copy, linkId, url) {
    return this.#href("confirm", copy, linkId, url == null ? "" : checkedUrl("url", url));
  }

  #href(kind, { message_id, recipient_id, sent_at_ms, links_total, group, shards = 1 }, linkId, url) {
    const [number, route] = KINDS[kind];
    const scheme = SCHEMES.findLastIndex((prefix) => url.startsWith(prefix));
    const body = Buffer.concat([
      Buffer.from([group == null ? 1 : 2, number | (scheme << 2), this.#kid.length]),
      Buffer.from(this.#kid),
      varint("shards", shards, 1, 257),
      varint("links_total", links_total, 0, 2 ** 32),
      varint("sent_at_ms", sent_at_ms, 946684800000, 4133980800000),
      packed("message_id", message_id, MESSAGE_ID),
      packed("recipient_id", recipient_id, ID),
      packed("link_id", linkId, ID),
      group == null ? Buffer.alloc(0) : packed("group", group, ID),
      Buffer.from(url.slice(SCHEMES[scheme].length)),
    ]);
    const mac = createHmac("sha256", this.#key).update(body).digest().subarray(0, 16);
    return `${this.#base}/${route}/${Buffer.concat([body, mac]).toString("base64url")}`;
  }
}

/** The header fields of one-click unsubscription (RFC 8058) for an unsubscribe link. */
export function unsubscribeHeaders(href) {
  return { "List-Unsubscribe": `<${href}>`, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" };
}

function signingKey(keys) {
  const found = new Map();
  for (const entry of String(keys ?? "").split(",")) {
    const [kid, ...rest] = entry.trim().split(":");
    const text = rest.join(":");
    const secret = Buffer.from(text, "base64");
    if (!/^[A-Za-z0-9._-]{1,16}$/.test(kid) || found.has(kid) || secret.length < 32)
      throw new RangeError("LINK_KEYS: must be kid:base64,… of different ids and at least 32 bytes each");
    const [padded, url] = [secret.toString("base64"), secret.toString("base64url")];
    const padding = padded.replace(/[^=]/g, "");
    if (![padded, padded.replace(/=/g, ""), url, url + padding].includes(text))
      throw new RangeError(`LINK_KEYS: key ${kid} is not base64`);
    found.set(kid, secret);
  }
  const [kid, secret] = found.entries().next().value;
  return [kid, createHmac("sha256", secret).update("clickproof token 1\x01").digest()];
}

function checkedUrl(field, url) {
  const match = typeof url === "string" && url.length <= 4096 && URL_FORM.exec(url);
  if (!match || Number(match[1] ?? 0) > 65535)
    throw new RangeError(
      `${field}: must be http:// or https:// in lower case, a host name in ASCII without user info, and printable ASCII ` +
        "(percent-encode the rest), at most 4096 bytes",
    );
  return url;
}

function varint(field, number, least, end) {
  if (!Number.isInteger(number) || number < least || number >= end)
    throw new RangeError(
      `${field}: must be a whole number from ${least} to ${end - 1} (times: Unix milliseconds)`,
    );
  const bytes = [];
  // Not by shifts, which have 32 bits.
  for (; number > 0x7f; number = Math.floor(number / 128)) bytes.push((number % 128) | 0x80);
  return Buffer.from([...bytes, number]);
}

function packed(field, text, rule) {
  if (typeof text !== "string" || !rule.test(text))
    throw new RangeError(`${field}: must match ${rule.source}`);
  // A lower-case UUID has no other spelling than its 16 bytes.
  if (UUID.test(text)) return Buffer.from(`00${text.replaceAll("-", "")}`, "hex");
  return Buffer.from(String.fromCharCode(text.length) + text, "latin1");
}
