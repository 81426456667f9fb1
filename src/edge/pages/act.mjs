// The page of a link that acts: one heading, one sentence, one button.

import { text } from "./html.mjs";
import { branded, framed, spoken, wayHome } from "./visitor.mjs";

/** The status of each state; what there is none of here is done. */
const STATUS = { again: 400, unavailable: 503 };

/**
 * - `state`: `ask`, press the button; `done`, with where to go on or the button that takes it back; `undone`, it is taken back; `again`,
 *   the button was pressed too soon or too late; `unavailable`, it could not be stored
 * - `kind`: what the link does, `unsubscribe` or `confirm`
 * - `action`: where the form is sent, the link's own path
 * - `field`, `stamp`: what the form brings along; the field `undo` takes back what the field `stamp` does
 * - `url`: where a confirmation leads
 *
 * @returns {{status: number, policy: string, html: string}}
 */
export function act(data) {
  const language = spoken(data);
  const { words } = language;
  const { state, kind, field, url } = data.act;
  const its = words[kind];
  const [heading, said] = {
    ask: [its.ask, its.ask_text],
    done: [its.done, its.done_text],
    undone: [its.undone, its.undone_text],
    again: [words.again, words.again_text],
    unavailable: [words.unavailable, words.unavailable_text],
  }[state];
  let content = `<p>${said}</p>\n`;
  if (state === "done" && url) content += `<p><a class="button" href="${text(url)}">${words.go_on}</a></p>\n`;
  if (state === "done" && field) content += `<p>${its.regret}</p>\n`;
  if (field) content += form(data.act, field === "undo" ? its.undo : its.button);
  if (state === "undone") content += wayHome(data, words);
  return framed(STATUS[state] ?? 200, data.brand, language, heading, content, branded(data.color));
}

const form = ({ action, state, field, stamp }, button) => `<form method="post" action="${text(action)}">
<input type="hidden" name="${field}" value="${text(stamp)}">
<button type="submit"${state === "done" ? ' class="quiet"' : ""}>${button}</button>
</form>
`;
