// The list of sends: what each would be said to have reached, and what it did.

import { count, date, encoded, head, page, percent, text } from "./html.mjs";
import { line } from "./plot.mjs";

/** One send, as a row. Of one whose object did not answer there is its id alone. */
function row(message) {
  const { message_id, title, first_ms, sent, clicks, human_clicks, human_recipients } = message;
  const link = `<tr><th scope="row"><a href="/report/${encoded(message_id)}">${text(title ?? message_id)}</a>`;
  if (clicks === undefined) return `${link}<small>its object does not answer</small><td>–<td>–<td>–\n`;
  const facts = [
    first_ms === null ? "nothing yet" : date(first_ms),
    ...(sent === null ? [] : [`${count(sent)} sent`]),
    `${count(clicks)} ${clicks === 1 ? "click" : "clicks"}`,
  ];
  // Without what it is a share of, the number itself.
  const rate = (number, unit) =>
    sent > 0 ? percent(number, sent) : `${count(number)}<small>${unit}</small>`;
  return (
    `${link}<small>${facts.join(" · ")}</small>${line(6, human_clicks, clicks, clicks)}` +
    `<td>${rate(clicks, clicks === 1 ? "click" : "clicks")}<td class="hm">${rate(human_recipients, human_recipients === 1 ? "person" : "people")}` +
    `<td>${percent(clicks - human_clicks, clicks)}\n`
  );
}

/** The page of some sends, the newest first; `next` is where the page with older ones begins. */
export function list({ messages, next }) {
  let html = "<header>\n<h1>Messages</h1>\n";
  if (messages.length > 0) {
    html +=
      '<p class="soft">The newest first, with the day of the first click (UTC). As counted: a naive tracker’s rate, ' +
      "clicks by mails sent. People: recipients who clicked themselves, by mails sent. Machines: their share of all clicks.\n</header>\n<main>\n<section>\n" +
      head(["Message", "As counted", "People", "Machines"]) +
      `${messages.map(row).join("")}</table>\n</section>\n`;
  } else {
    html +=
      "<p>No message has a click yet. Mint links with <code>POST /v1/links</code> and send them; each message stands here " +
      "from its first click on, or once you have told of it with <code>PUT /v1/messages/{message_id}</code>.\n</header>\n<main>\n";
  }
  if (next) {
    html += `<nav class="older"><a rel="next" href="/report?after=${encoded(next)}">Older messages</a></nav>\n`;
  }
  return page("Messages", html);
}
