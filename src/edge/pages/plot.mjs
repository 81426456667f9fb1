// Plots as SVG. Along the page places are percentages and down it they are pixels: so a plot fills a phone and a desk, and the
// letters on it keep their size. What it shows stands in a table below it, too; here each bar names its numbers as a tool tip.

import { NAMES, sumOf, total } from "./classes.mjs";
import { cell, count, head } from "./html.mjs";

/** Up to so many bars have gaps between them. */
const MOST_GAPS = 60;

/** The next number that people like to see at the top of an axis. */
export function roundUp(highest) {
  for (let scale = 1; ; scale *= 10) {
    const found = [1, 2, 4, 6, 8].find((step) => step * scale >= highest);
    if (found) return found * scale;
  }
}

/** A row of bars: its upper edge and its height, pixels, and what its upper edge stands for. */
export const rowOf = (top, height, highest) => ({ top, height, most: roundUp(highest) });

const pixels = (row, number) => Math.round((number * row.height) / row.most);

const place = (percentage) => `${Number(percentage.toFixed(3))}%`;

/** A picture with its name and what it shows. `id` is its own on the page. */
export const picture = (id, height, title, shows, content) =>
  `<div class="plot"><svg width="100%" height="${height}" role="img" aria-labelledby="${id}-t ${id}-d">` +
  `<title id="${id}-t">${title}</title><desc id="${id}-d">${shows}</desc>\n${content}</svg></div>\n`;

/** Text at a place, of a class. */
export const label = (kind, x, y, words) => `<text class="${kind}" x="${place(x)}" y="${y}">${words}</text>`;

/** A line down the page. */
export const mark = (x, from, until) =>
  `<line class="mark" x1="${place(x)}" x2="${place(x)}" y1="${from}" y2="${until}"/>`;

/** A row's lines across, each with its number. */
export function axis(row) {
  // Half of one click is none: there the middle has no line.
  const counts = [0, row.most / 2, row.most].filter(Number.isInteger);
  const lines = counts.map((number) => {
    const y = row.top + row.height - pixels(row, number);
    return `<line x2="100%" y1="${y}" y2="${y}"/><text class="y" x="-8" y="${y + 4}">${count(number)}</text>`;
  });
  return `${lines.join("")}\n`;
}

/** A row's bars: some classes, one upon another, from one class up to another. `name` says what a bar stands for. */
export function bars(row, stacks, [first, end], name) {
  const step = 100 / stacks.length;
  const width = stacks.length > MOST_GAPS ? step : step * 0.8;
  let html = "";
  stacks.forEach((stack, at) => {
    const shown = stack
      .map((number, kind) => [kind, number])
      .filter(([kind, number]) => kind >= first && kind < end && number > 0);
    if (shown.length === 0) return;
    const numbers = shown.map(([kind, number]) => `${NAMES[kind]} ${count(number)}`).join(", ");
    html += `<g><title>${name(at)}: ${numbers}</title>`;
    const x = at * step + (step - width) / 2;
    let [sum, reached] = [0, 0];
    for (const [kind, number] of shown) {
      sum += number;
      // One click among a hundred thousand is seen, where nothing else stands there: a pixel at least.
      const until = Math.max(pixels(row, sum), reached === 0 ? 1 : reached);
      if (until > reached) {
        const y = row.top + row.height - until;
        html += `<rect class="c${kind}" x="${place(x)}" width="${place(width)}" y="${y}" height="${until - reached}"/>`;
      }
      reached = until;
    }
    html += "</g>\n";
  });
  return html;
}

/** What the colours mean, and how many clicks each has; those without one are left out. */
export function legend(sums) {
  const items = sums.map((number, kind) =>
    number > 0 ? `<li><i class="c${kind}"></i>${NAMES[kind]} ${count(number)}` : "",
  );
  return `<ul class="legend">${items.join("")}</ul>\n`;
}

/** A line as long as all, and people's part of it, of the most. What it shows stands beside it. */
export function line(height, human, all, most) {
  const rect = (kind, number) => {
    const width = Math.min((number / Math.max(most, 1)) * 100, 100);
    return `<rect class="${kind}" width="${place(width)}" height="${height}"/>`;
  };
  const rects = rect("all", all) + rect("c0", human);
  return `<svg class="bar" aria-hidden="true" width="100%" height="${height}">${rects}</svg>`;
}

/** The table below a plot, folded up. `name` is its name, `begin` what its first column is called. */
export function table(name, begin, stacks, nameOf) {
  const sums = sumOf(stacks);
  const shown = [...NAMES.keys()].filter((kind) => sums[kind] > 0);
  const columns = [begin, ...shown.map((kind) => NAMES[kind]), "All"];
  let html =
    `<details><summary>The numbers as a table</summary><div class="wide" role="region" tabindex="0" aria-label="${name}">` +
    head(columns);
  stacks.forEach((stack, at) => {
    const all = total(stack);
    if (all === 0) return;
    const cells = [...shown.map((kind) => stack[kind]), all].map(cell);
    html += `<tr><th scope="row">${nameOf(at)}${cells.join("")}\n`;
  });
  return `${html}</table></div></details>\n`;
}
