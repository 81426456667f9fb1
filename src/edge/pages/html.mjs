// A page's words: text of others as text, numbers and times as people read them. All times are UTC.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** What stands for a number that is not known. */
export const UNKNOWN = "–";

const ESCAPED = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** What others sent, as text. */
export const text = (sent) => String(sent).replace(/[&<>"']/g, (character) => ESCAPED[character]);

/** What stands in a path or a query: but for RFC 3986's unreserved characters, everything is percent-encoded. */
export const encoded = (sent) =>
  encodeURIComponent(sent).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** A number for people, its thousands set apart; a dash where it is not known. */
export function count(number) {
  if (number === null || number === undefined) return UNKNOWN;
  const digits = String(Math.abs(number)).replace(/\B(?=(\d{3})+$)/g, ",");
  return number < 0 ? `−${digits}` : digits;
}

/**
 * A share as a percentage, of two digits or three that count: 0.04 %, 3.2 %, 68.4 %, 140 %. Only what is nothing is 0 %, and only
 * what is no less than all is 100 %.
 */
export function percent(part, whole) {
  if (!(whole > 0)) return UNKNOWN;
  const hundredths = Math.round((part * 10_000) / whole);
  let digits;
  if (part === 0 || part >= whole) digits = count(Math.round((part * 100) / whole));
  else if (hundredths === 0) digits = "&lt; 0.01";
  else if (hundredths < 100) digits = (hundredths / 100).toFixed(2);
  else digits = (Math.min(Math.round((part * 1_000) / whole), 999) / 10).toFixed(1);
  // No line breaks between the digits and their sign.
  return `${digits}\u00a0%`;
}

const two = (number) => String(number).padStart(2, "0");

/** A day without its year: `12 Mar`. */
export function day(ms) {
  const then = new Date(ms);
  return `${then.getUTCDate()} ${MONTHS[then.getUTCMonth()]}`;
}

/** A time of day: `09:14`. */
export function clock(ms) {
  const then = new Date(ms);
  return `${two(then.getUTCHours())}:${two(then.getUTCMinutes())}`;
}

/** A day: `12 Mar 2026`. */
export const date = (ms) => `${day(ms)} ${new Date(ms).getUTCFullYear()}`;

/** A day and its time: `12 Mar 2026, 09:14`. */
export const time = (ms) => `${date(ms)}, ${clock(ms)}`;

/** A time for machines, to the minute: `2026-03-12T09:14Z`. */
export const iso = (ms) => `${new Date(ms).toISOString().slice(0, 16)}Z`;

/** A length of time in whole days, hours, minutes or seconds. */
export function length(seconds) {
  if (seconds >= 86_400) return `${count(Math.floor(seconds / 86_400))} d`;
  if (seconds >= 3_600) return `${Math.floor(seconds / 3_600)} h`;
  if (seconds >= 60) return `${Math.floor(seconds / 60)} min`;
  return `${seconds} s`;
}

/** A table's head: its columns' names, markup of ours. */
export const head = (columns) =>
  `<table><thead><tr>${columns.map((column) => `<th scope="col">${column}`).join("")}<tbody>`;

/** A cell with a number. */
export const cell = (number) => `<td>${count(number)}`;

/** A whole page. */
export const page = (title, content) =>
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(title)} – Clickproof</title>
<link rel="stylesheet" href="/report.css">
</head>
<body>
${content}</main>
</body>
</html>
`;
