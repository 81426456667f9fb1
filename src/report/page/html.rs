//! A page as it grows: markup of ours, text of others, numbers and times for people to read. All times are UTC.

use chrono::{DateTime, Datelike, Timelike};

use crate::template::escape;

/// The months on axes and in prose.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What stands for a number that is not known.
const UNKNOWN: &str = "–";

/// A page's text so far.
#[derive(Debug, Default)]
pub(super) struct Html(pub(super) String);

impl Html {
    /// Markup of ours.
    pub(super) fn raw(&mut self, html: &str) -> &mut Self {
        self.0.push_str(html);
        self
    }

    /// What others sent, as text.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        escape(text, &mut self.0);
        self
    }

    /// A number for machines.
    pub(super) fn number(&mut self, number: i64) -> &mut Self {
        self.0.push_str(&number.to_string());
        self
    }

    /// A number for people: its thousands set apart.
    pub(super) fn count(&mut self, count: i64) -> &mut Self {
        let digits = count.unsigned_abs().to_string();
        if count < 0 {
            self.0.push('−');
        }
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                self.0.push(',');
            }
            self.0.push(digit);
        }
        self
    }

    /// The same where it may not be known.
    pub(super) fn known(&mut self, count: Option<i64>) -> &mut Self {
        match count {
            Some(count) => self.count(count),
            None => self.raw(UNKNOWN),
        }
    }

    /// A share as a percentage, of two digits or three that count: 0.04 %, 3.2 %, 68.4 %, 140 %.
    pub(super) fn percent(&mut self, part: i64, whole: i64) -> &mut Self {
        if whole <= 0 {
            return self.raw(UNKNOWN);
        }
        let in_steps = |steps: i64| (part.saturating_mul(steps).saturating_add(whole / 2)) / whole;
        let hundredths = in_steps(10_000);
        if part > 0 && hundredths == 0 {
            self.raw("&lt; 0.01");
        } else if hundredths < 100 && hundredths > 0 {
            self.decimal(hundredths, 2);
        } else if hundredths < 10_000 {
            self.decimal(in_steps(1_000), 1);
        } else {
            self.count(in_steps(100));
        }
        self.raw(" %")
    }

    /// A number of tenths, hundredths or thousandths, 0 or more.
    pub(super) fn decimal(&mut self, number: i64, places: u32) -> &mut Self {
        let scale = 10_i64.pow(places);
        self.number(number / scale);
        let behind = (number % scale + scale).to_string();
        self.raw(".").raw(behind.get(1..).unwrap_or_default())
    }

    /// A day and its time: `12 Mar 2026, 09:14`.
    pub(super) fn time(&mut self, ms: i64) -> &mut Self {
        self.day(ms);
        let year = at(ms).year();
        self.raw(" ").number(year.into()).raw(", ").clock(ms)
    }

    /// A day without its year: `12 Mar`.
    pub(super) fn day(&mut self, ms: i64) -> &mut Self {
        let day = at(ms);
        let month = MONTHS.get(day.month0() as usize).copied().unwrap_or_default();
        self.number(day.day().into()).raw(" ").raw(month)
    }

    /// A time of day: `09:14`.
    pub(super) fn clock(&mut self, ms: i64) -> &mut Self {
        let time = at(ms);
        self.two_digits(time.hour()).raw(":").two_digits(time.minute())
    }

    /// A time for machines, to the minute: `2026-03-12T09:14Z`.
    pub(super) fn iso(&mut self, ms: i64) -> &mut Self {
        let day = at(ms);
        self.number(day.year().into()).raw("-").two_digits(day.month());
        self.raw("-").two_digits(day.day()).raw("T").clock(ms).raw("Z")
    }

    fn two_digits(&mut self, number: u32) -> &mut Self {
        if number < 10 {
            self.0.push('0');
        }
        self.number(number.into())
    }

    /// What stands in a path or a query, percent-encoded: but for RFC 3986's unreserved characters, everything is.
    pub(super) fn encoded(&mut self, text: &str) -> &mut Self {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                self.0.push(char::from(byte));
            } else {
                self.0.push('%');
                for digit in [byte >> 4, byte & 15] {
                    self.0.extend(HEX.get(usize::from(digit)).copied().map(char::from));
                }
            }
        }
        self
    }

    /// A cell with a number.
    pub(super) fn cell(&mut self, count: i64) -> &mut Self {
        self.raw("<td>").count(count)
    }

    /// A table's head: its columns' names, markup of ours.
    pub(super) fn head(&mut self, columns: &[&str]) -> &mut Self {
        self.raw("<table><thead><tr>");
        for column in columns {
            self.raw("<th scope=\"col\">").raw(column);
        }
        self.raw("<tbody>")
    }
}

/// The time of a number of milliseconds; the epoch where it is beyond all calendars.
fn at(ms: i64) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(write: impl Fn(&mut Html) -> &mut Html) -> String {
        let mut html = Html::default();
        write(&mut html);
        html.0
    }

    #[test]
    fn numbers_are_for_people_to_read() {
        for (count, expected) in [
            (0, "0"),
            (7, "7"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
            (-1_200, "−1,200"),
            (i64::MAX, "9,223,372,036,854,775,807"),
        ] {
            assert_eq!(said(|html| html.count(count)), expected);
        }
        for (part, whole, expected) in [
            (0, 0, "–"),
            (1, 0, "–"),
            (0, 7, "0.0 %"),
            (1, 1_000_000, "&lt; 0.01 %"),
            (1, 20_000, "0.01 %"),
            (4, 10_000, "0.04 %"),
            (99, 10_000, "0.99 %"),
            (1, 100, "1.0 %"),
            (321, 10_000, "3.2 %"),
            (684, 1_000, "68.4 %"),
            (99_994, 100_000, "100.0 %"),
            (1, 1, "100 %"),
            (14, 10, "140 %"),
            (123_456, 10, "1,234,560 %"),
        ] {
            assert_eq!(said(|html| html.percent(part, whole)), expected, "{part} of {whole}");
        }
        assert_eq!(said(|html| html.decimal(12_005, 3)), "12.005");
    }

    #[test]
    fn times_are_utc_and_days_have_names() {
        let ms = 1_773_306_840_000;
        assert_eq!(said(|html| html.time(ms)), "12 Mar 2026, 09:14");
        assert_eq!(said(|html| html.iso(ms)), "2026-03-12T09:14Z");
        assert_eq!(said(|html| html.day(0)), "1 Jan");
        assert_eq!(said(|html| html.time(i64::MAX)), "1 Jan 1970, 00:00");
    }

    #[test]
    fn an_id_in_a_path_is_one_part_of_it() {
        assert_eq!(said(|html| html.encoded("a-b_c.d~9")), "a-b_c.d~9");
        assert_eq!(said(|html| html.encoded("@+=$!:/?&ä")), "%40%2B%3D%24%21%3A%2F%3F%26%C3%A4");
    }
}
