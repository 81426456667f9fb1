// The web pages at /report: the API's answers, rendered. They are made here and not in wasm, which every cold start of a click has
// to compile: a page is read now and then, and a function of JavaScript is compiled when it is first called.

import { csv } from "./csv.mjs";
import { list } from "./list.mjs";
import { message } from "./message.mjs";

/** What a page may load: the style that lies beside it. */
const POLICY =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS = {
  "cache-control": "no-store, private",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-robots-tag": "noindex, nofollow",
};

/**
 * The answer: `form` is `list`, `html` or `csv`, `json` what the API says; `words` says of each type of click what it was.
 */
export function render(form, json, words) {
  const data = JSON.parse(json);
  if (form === "csv") {
    return answer(csv(data), { "content-type": "text/csv; charset=utf-8" });
  }
  const html = form === "list" ? list(data) : message(data, Date.now(), words);
  return answer(html, { "content-type": "text/html; charset=utf-8", "content-security-policy": POLICY });
}

const answer = (body, headers) => new Response(body, { headers: { ...HEADERS, ...headers } });
