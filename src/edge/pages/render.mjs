// The web pages at /report and /demo: what the API and the demo say, rendered. They are made here and not in wasm, which every cold
// start of a click has to compile: a page is read now and then, and a function of JavaScript is compiled when it is first called.

import { csv } from "./csv.mjs";
import * as demo from "./demo.mjs";
import * as files from "./demo_files.mjs";
import { list } from "./list.mjs";
import { message } from "./message.mjs";

/** What each page may load: a report the style that lies beside it, the demo the click host's own script, beacon and images, too. */
const CLOSED = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const OF_REPORT = `default-src 'none'; style-src 'self'; ${CLOSED}`;
const OF_DEMO = `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; ${CLOSED}`;

const HEADERS = {
  "cache-control": "no-store, private",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-robots-tag": "noindex, nofollow",
};

/** The demo's landing page plays a shop's: what it tells of itself is what browsers tell by themselves. */
const AS_A_SHOP = { "referrer-policy": "strict-origin-when-cross-origin" };

/** The demo's campaign asks for no password, and neither does what its report leads to. */
const IN_DEMO = { up: "/demo/campaign", words: "The campaign in short", csv: "/demo/report.csv" };

/** What there is, by its form: made of data and of words for types of clicks, rules and signals. */
const FORMS = {
  list: (data) => page(OF_REPORT, list(data)),
  html: (data, words) => page(OF_REPORT, message(data, Date.now(), words.type)),
  csv: (data) => answer("text/csv", csv(data)),
  campaign_report: (data, words) => page(OF_REPORT, message(data, Date.now(), words.type, IN_DEMO)),
  mail: (data) => page(OF_DEMO, demo.mail(files, data)),
  landing: (data) => page(OF_DEMO, demo.landing(files, data), AS_A_SHOP),
  story: (data, words) => page(OF_DEMO, demo.story(files, data, words)),
  campaign: (data) => page(OF_DEMO, demo.campaign(files, data)),
  style: () => answer("text/css", files.style),
  script: () => answer("text/javascript", files.script),
};

/** The answer: its form, and in JSON what it is made of. */
export const render = (form, json, words) => FORMS[form](json && JSON.parse(json), words);

const page = (policy, html, headers) =>
  answer("text/html", html, { "content-security-policy": policy, ...headers });

const answer = (type, body, headers) =>
  new Response(body, { headers: { ...HEADERS, "content-type": `${type}; charset=utf-8`, ...headers } });
