// The pages that visitors see: what the host is, at its root, and that there is no such link. Links that act have theirs in
// act.mjs, in the same frame. They load nothing, run nothing, and read the same without their style.

import { onColor } from "./color.mjs";
import { text } from "./html.mjs";
import { LANGUAGES, negotiate } from "./languages.mjs";

/**
 * Light and dark come from the visitor's own settings. A button has the page's colours; its border has the colour of its words.
 */
const STYLE = `:root{color-scheme:light dark}\
body{margin:0;font:1.125rem/1.5 system-ui,sans-serif;color:CanvasText;background:Canvas}\
main{box-sizing:border-box;max-width:34rem;margin:0 auto;padding:12vh 1.5rem 3rem;overflow-wrap:anywhere}\
h1{font-size:1.75rem;line-height:1.25;margin:0 0 1rem}\
p{margin:0 0 1.5rem}\
.brand{font-weight:600}\
button,.button{box-sizing:border-box;display:inline-block;min-height:3rem;padding:.6rem 1.5rem;font:inherit;font-weight:600;\
color:inherit;background:none;text-decoration:none;border:2px solid;border-radius:.5rem;cursor:pointer}\
button:focus-visible,a:focus-visible{outline:3px solid CanvasText;outline-offset:3px}\
@media(max-width:30rem){main{padding-top:4rem}button,.button{width:100%;text-align:center}}`;

/** What lets the style through the page's policy: its SHA-256. So a link that does not work has the same answer each time. */
export const STYLE_HASH = "sha256-3belsQ4/lmiDMyJzQOQW6psy5fgfYKNSFSvJ+AI/1V8=";

/** The page's style as it is, and its Content-Security-Policy, which lets nothing else in. */
const PLAIN = { open: "<style>", css: STYLE, source: `'${STYLE_HASH}'`, forms: "'none'" };

/**
 * The style with the brand's colour on the button that matters, so that it is let through by a nonce; there the page has a form. A pale
 * button stands out from a white page by its border, a dark one from a black page.
 */
export function branded(color) {
  const nonce = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  const css = `${STYLE}:is(button,.button):not(.quiet){${onColor(color)}}`;
  return { open: `<style nonce="${nonce}">`, css, source: `'nonce-${nonce}'`, forms: "'self'" };
}

/** What there is of a page before what it says: the language that its visitor reads, and its words. */
export function spoken({ accept_language }) {
  const tag = negotiate(accept_language);
  return { tag, words: LANGUAGES[tag] };
}

/**
 * A whole page, its status and its Content-Security-Policy.
 *
 * @returns {{status: number, policy: string, html: string}}
 */
export function framed(status, brand, { tag }, heading, content, { open, css, source, forms } = PLAIN) {
  const sender = brand ? `<p class="brand">${text(brand)}</p>\n` : "";
  return {
    status,
    policy: `default-src 'none'; style-src ${source}; form-action ${forms}; frame-ancestors 'none'; base-uri 'none'`,
    html: `<!doctype html>
<html lang="${tag}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${heading}${brand ? ` – ${text(brand)}` : ""}</title>
${open}${css}</style>
</head>
<body>
<main>
${sender}<h1>${heading}</h1>
${content}</main>
</body>
</html>
`,
  };
}

/** What stands at the root: what the host is, and who is told of abuse. */
export function root(data) {
  const language = spoken(data);
  const { words } = language;
  const { brand, contact } = data;
  // A brand's name may hold what a replacement's pattern would mean something by.
  const whose = brand ? words.from_brand.replace("{brand}", () => text(brand)) : words.from_somebody;
  const shown = contact?.replace(/^mailto:/, "");
  const abuse = contact ? `<p>${words.abuse} <a href="${text(contact)}">${text(shown)}</a></p>\n` : "";
  return framed(200, brand, language, words.links, `<p>${whose} ${words.counted}</p>\n${abuse}`);
}

/** That there is no such link or page, and the way to the sender's own site, where the settings name it. */
export function missing(data) {
  const language = spoken(data);
  const { words } = language;
  return framed(
    404,
    data.brand,
    language,
    words.missing,
    `<p>${words.missing_text}</p>\n${wayHome(data, words)}`,
  );
}

/** The way to the sender's own site, where the settings name it. */
export const wayHome = ({ home }, words) =>
  home ? `<p><a class="button quiet" href="${text(home)}">${words.home}</a></p>\n` : "";
