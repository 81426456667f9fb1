//! Plots as SVG. Along the page places are percentages and down it they are pixels: so a plot fills a phone and a desk, and the
//! letters on it keep their size. What it shows stands in a table below it, too; here each bar names its numbers as a tool tip.

use std::ops::Range;

use super::class::{NAMES, Stack};
use super::html::Html;

/// A whole width, thousandths of a percent.
pub(super) const WHOLE: i64 = 100_000;

/// Up to so many bars have gaps between them.
const MOST_GAPS: usize = 60;

/// One row of bars: where it stands, and by what it is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Its upper edge, pixels.
    pub(super) top: i64,
    /// Its height, pixels.
    pub(super) height: i64,
    /// What its upper edge stands for.
    pub(super) most: i64,
}

impl Row {
    /// A row in which the highest bar has room.
    pub(super) fn of(top: i64, height: i64, highest: i64) -> Self {
        Self { top, height, most: round_up(highest) }
    }

    /// How high so many stand, pixels.
    fn pixels(&self, count: i64) -> i64 {
        (count.saturating_mul(self.height) + self.most / 2) / self.most
    }
}

/// The next number that people like to see at the top of an axis.
fn round_up(highest: i64) -> i64 {
    let mut scale = 1_i64;
    loop {
        for step in [1, 2, 4, 6, 8] {
            if step * scale >= highest {
                return step * scale;
            }
        }
        match scale.checked_mul(10) {
            Some(next) if next <= i64::MAX / 10 => scale = next,
            _ => return highest,
        }
    }
}

/// Begins a picture with its name and what it shows. `id` is its own on the page.
pub(super) fn begin(html: &mut Html, id: &str, height: i64, title: &str, shows: &str) {
    html.raw("<div class=\"plot\"><svg width=\"100%\" height=\"").number(height);
    html.raw("\" role=\"img\" aria-labelledby=\"")
        .raw(id)
        .raw("-t ")
        .raw(id)
        .raw("-d\"><title id=\"")
        .raw(id);
    html.raw("-t\">").raw(title).raw("</title><desc id=\"").raw(id).raw("-d\">").raw(shows).raw("</desc>\n");
}

/// Ends it.
pub(super) fn end(html: &mut Html) {
    html.raw("</svg></div>\n");
}

/// A place along the page, of [`WHOLE`].
fn along(html: &mut Html, name: &str, place: i64) {
    html.raw(" ").raw(name).raw("=\"").decimal(place, 3).raw("%\"");
}

/// A place or a length down the page.
fn down(html: &mut Html, name: &str, pixels: i64) {
    html.raw(" ").raw(name).raw("=\"").number(pixels).raw("\"");
}

/// Text at a place, of a class.
pub(super) fn text(html: &mut Html, class: &str, place: i64, pixels: i64) {
    html.raw("<text class=\"").raw(class).raw("\"");
    along(html, "x", place);
    down(html, "y", pixels);
    html.raw(">");
}

/// A line down the page.
pub(super) fn mark(html: &mut Html, place: i64, from: i64, until: i64) {
    html.raw("<line class=\"mark\"");
    along(html, "x1", place);
    along(html, "x2", place);
    down(html, "y1", from);
    down(html, "y2", until);
    html.raw("/>");
}

/// A row's lines across, each with its number.
pub(super) fn axis(html: &mut Html, row: Row) {
    let half = row.most / 2;
    for count in [0, half, row.most] {
        // Half of one click is none: there the middle has no line.
        if count == half && half * 2 != row.most {
            continue;
        }
        let y = row.top + row.height - row.pixels(count);
        html.raw("<line x2=\"100%\"");
        down(html, "y1", y);
        down(html, "y2", y);
        html.raw("/><text class=\"y\" x=\"-8\"");
        down(html, "y", y + 4);
        html.raw(">").count(count).raw("</text>");
    }
    html.raw("\n");
}

/// A row's bars: some classes, one upon another. `name` writes what a bar stands for.
pub(super) fn bars(
    html: &mut Html,
    row: Row,
    stacks: &[Stack],
    classes: Range<usize>,
    name: &dyn Fn(&mut Html, usize),
) {
    let places = i64::try_from(stacks.len()).unwrap_or(i64::MAX).max(1);
    let width = if stacks.len() > MOST_GAPS { WHOLE / places } else { WHOLE * 4 / 5 / places };
    for (at, stack) in stacks.iter().enumerate() {
        let shown = || {
            stack.iter().enumerate().take(classes.end).skip(classes.start).filter(|(_, count)| **count > 0)
        };
        if shown().next().is_none() {
            continue;
        }
        html.raw("<g><title>");
        name(html, at);
        let mut between = ": ";
        for (class, count) in shown() {
            html.raw(between).raw(NAMES.get(class).copied().unwrap_or_default()).raw(" ").count(*count);
            between = ", ";
        }
        html.raw("</title>");
        let begin = i64::try_from(at).unwrap_or_default() * WHOLE / places + (WHOLE / places - width) / 2;
        let (mut sum, mut reached) = (0, 0);
        for (class, count) in shown() {
            sum += count;
            // One click among a hundred thousand is seen, where nothing else stands there: a pixel at least.
            let until = row.pixels(sum).max(if reached == 0 { 1 } else { reached });
            if until > reached {
                html.raw("<rect class=\"c").number(i64::try_from(class).unwrap_or_default()).raw("\"");
                along(html, "x", begin);
                along(html, "width", width);
                down(html, "y", row.top + row.height - until);
                down(html, "height", until - reached);
                html.raw("/>");
                reached = until;
            }
        }
        html.raw("</g>\n");
    }
}

/// What the colours mean, and how many clicks each has; those without one are left out.
pub(super) fn legend(html: &mut Html, sums: &Stack) {
    html.raw("<ul class=\"legend\">");
    for (class, (count, name)) in sums.iter().zip(NAMES).enumerate().filter(|(_, (count, _))| **count > 0) {
        html.raw("<li><i class=\"c").number(i64::try_from(class).unwrap_or_default()).raw("\"></i>");
        html.raw(name).raw(" ").count(*count);
    }
    html.raw("</ul>\n");
}

/// A line as long as all, and people's part of it, of the most. What it shows stands beside it.
pub(super) fn line(html: &mut Html, pixels: i64, human: i64, all: i64, most: i64) {
    html.raw("<svg class=\"bar\" aria-hidden=\"true\" width=\"100%\"");
    down(html, "height", pixels);
    html.raw(">");
    for (class, count) in [("all", all), ("c0", human)] {
        html.raw("<rect class=\"").raw(class).raw("\"");
        along(html, "width", (count.saturating_mul(WHOLE) / most.max(1)).clamp(0, WHOLE));
        down(html, "height", pixels);
        html.raw("/>");
    }
    html.raw("</svg>");
}

#[cfg(test)]
mod tests {
    use super::super::class::CLASSES;
    use super::*;

    #[test]
    fn an_axis_ends_in_a_round_number() {
        for (highest, expected) in
            [(0, 1), (1, 1), (3, 4), (5, 6), (9, 10), (11, 20), (4_001, 6_000), (97_000, 100_000)]
        {
            assert_eq!(round_up(highest), expected);
        }
        assert!(round_up(i64::MAX) >= i64::MAX / 10);
    }

    /// The heights of a bar's parts, by class.
    fn heights(row: Row, stack: Stack) -> Vec<(char, i64)> {
        let mut html = Html::default();
        bars(&mut html, row, &[stack], 0..CLASSES, &|_, _| ());
        html.0
            .split("<rect class=\"c")
            .skip(1)
            .map(|rect| {
                let height = rect.split("height=\"").nth(1).unwrap().split('"').next().unwrap();
                (rect.chars().next().unwrap(), height.parse().unwrap())
            })
            .collect()
    }

    #[test]
    fn a_bar_is_as_high_as_its_sum_and_one_click_is_seen() {
        let row = Row::of(0, 200, 100);
        assert_eq!(heights(row, [10, 0, 20, 0, 0, 0, 0, 70]), [('0', 20), ('2', 40), ('7', 140)]);
        let row = Row::of(0, 200, 100_000);
        assert_eq!(heights(row, [1, 99_999, 0, 0, 0, 0, 0, 0]), [('0', 1), ('1', 199)]);
        assert_eq!(heights(row, [0, 0, 0, 1, 0, 0, 0, 0]), [('3', 1)]);
        assert_eq!(heights(row, [0; CLASSES]), []);
    }
}
